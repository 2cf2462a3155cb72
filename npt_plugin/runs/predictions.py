"""What a run said about each test image, kept for plots and later questions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from npt_plugin.errors import UserError
from npt_plugin.system.files import write_atomically

PREDICTIONS = "predictions.safetensors"
"""File name in a run's output folder."""

_HALF_ABOVE = 20_000_000  # numbers; beyond this they are kept in half precision


@dataclass(frozen=True)
class Predictions:
    """One evaluation, image by image.

    Attributes:
        logits: (N, K), scaled.
        labels: (N,) int64.
        image_features: (N, D), unit norm.
        text_features: (K, D), unit norm; their mean over images where they depend on them.
        class_names: K names.
    """

    logits: Tensor
    labels: Tensor
    image_features: Tensor
    text_features: Tensor
    class_names: list[str]

    def save(self, folder: str | Path) -> Path:
        """Write ``predictions.safetensors`` atomically; returns its path."""
        total = self.logits.numel() + self.image_features.numel()
        dtype = torch.float16 if total > _HALF_ABOVE else torch.float32
        tensors = {
            "logits": self.logits.to(dtype).contiguous(),
            "labels": self.labels.contiguous(),
            "image_features": self.image_features.to(dtype).contiguous(),
            "text_features": self.text_features.float().contiguous(),
        }
        data = save(tensors, {"class_names": json.dumps(self.class_names)})
        path = Path(folder) / PREDICTIONS
        write_atomically(path, lambda file: file.write(data))
        return path

    @classmethod
    def load(cls, folder: str | Path) -> Predictions:
        """Read a run's predictions.

        Raises:
            UserError: If the file is absent, damaged, or its parts do not fit together.
        """
        path = Path(folder) / PREDICTIONS
        if not path.is_file():
            raise UserError(
                f"{path} does not exist: evaluate the run with TEST.SAVE_PREDICTIONS True "
                f"(npt eval --run {folder})."
            )
        try:
            with safe_open(str(path), framework="pt") as file:
                names = json.loads((file.metadata() or {})["class_names"])
                keys = ("logits", "labels", "image_features", "text_features")
                tensors = {key: file.get_tensor(key) for key in keys}
            return cls(**{k: _plain(t) for k, t in tensors.items()}, class_names=names)._checked()
        except (SafetensorError, OSError, KeyError, ValueError, RuntimeError) as error:
            raise UserError(f"{path} cannot be read ({error}): evaluate the run again.") from None

    def _checked(self) -> Predictions:
        n, k = self.logits.shape
        fits = (
            n > 0
            and self.labels.shape == (n,)
            and self.image_features.shape[:1] == (n,)
            and self.text_features.shape == (k, self.image_features.shape[1])
            and isinstance(self.class_names, list)
            and len(self.class_names) == k
            and 0 <= int(self.labels.min()) <= int(self.labels.max()) < k
        )
        if not fits:
            raise ValueError("its tensors do not fit together")
        return self


def _plain(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor.long()
