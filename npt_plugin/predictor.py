"""Use what a run learned: classify images by path, PIL image or batch."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from npt_plugin.datasets.images import READ_ERRORS, reason_of
from npt_plugin.datasets.rgb import to_rgb
from npt_plugin.datasets.views import resized_first
from npt_plugin.engine.framework import build_transform
from npt_plugin.errors import UserError
from npt_plugin.evaluation.posthoc import posthoc_adjust
from npt_plugin.registration import register_all
from npt_plugin.runs.calibration import run_temperature
from npt_plugin.runs.folder import RunFolder
from npt_plugin.trainers.restore import load_model

Picture = str | Path | Image.Image
"""What ``Predictor`` takes one of, or several; a batch is a tensor (B, 3, H, W)."""


class Predictor:
    """A trained prompt classifier.

    Example:
        >>> predictor = Predictor.from_run("output/try")            # doctest: +SKIP
        >>> predictor.top_k("cat.jpg", k=3)                         # doctest: +SKIP
        [[('cat', 0.93), ('dog', 0.05), ('fox', 0.01)]]

    Attributes:
        class_names: K names; column k of the probabilities belongs to name k.
        temperature: Logits are divided by it; 1.0 without calibration.
        train_counts: Training images per class (K,), where the run asked for post-hoc adjustment
            (``TRAINER.IMBALANCE_LOSS.POSTHOC_TAU``); None: no adjustment.
    """

    def __init__(
        self,
        model: Any,
        cfg: Any,
        device: torch.device,
        precision: Any,
        class_names: Sequence[str],
        temperature: float = 1.0,
        train_counts: Tensor | None = None,
    ) -> None:
        self.model, self.device, self.precision = model, device, precision
        self.class_names, self.temperature = list(class_names), temperature
        self.train_counts, self.tau = train_counts, cfg.TRAINER.IMBALANCE_LOSS.POSTHOC_TAU
        with contextlib.redirect_stdout(io.StringIO()):  # Dassl prints what it builds
            self.transform = resized_first(cfg, build_transform(cfg, is_train=False))
        with torch.no_grad(), precision.context(device):
            self.text = None if model.text_depends_on_image else model.text_features()  # (K, D)

    @classmethod
    def from_run(
        cls,
        folder: str | Path,
        class_names: Sequence[str] | None = None,
        calibrated: bool = False,
        device: str | None = None,
        average: Sequence[str | Path] = (),
    ) -> Predictor:
        """Load the prompts a run was tested with.

        Args:
            folder: The run's output folder.
            class_names: Classify into these instead of the run's classes.
            calibrated: Scale the probabilities by a temperature fitted on the run's validation
                images (they must be on this machine; the value is kept in ``calibration.json``).
            device: Torch device; None: CUDA where there is one.
            average: Folders of runs of other seeds: the mean of what all of them have learned
                classifies; not with ``calibrated``.

        Raises:
            UserError: If the run, its weights or its validation images are not there.
        """
        if class_names is not None and not [name for name in class_names if name.strip()]:
            raise UserError("No class name was given: name at least one.")
        register_all(base=True)
        run = RunFolder.open(folder)
        if average and calibrated:
            raise UserError("A mean of runs has no temperature of its own: leave one of both out.")
        with contextlib.redirect_stdout(io.StringIO()):
            others = [RunFolder.open(other) for other in average]
            loaded = load_model(run, class_names, device, others)
            own = partial(load_model, run, device=device)
            temperature = run_temperature(run, own) if calibrated else 1.0
        counts = run.training_counts() if class_names is None else None
        return cls(*loaded, class_names or run.class_names, temperature, counts)

    @torch.no_grad()
    def logits(self, images: Picture | Iterable[Picture] | Tensor, batch: int = 64) -> Tensor:
        """Logits (N, K), fp32 on the CPU, divided by the temperature.

        Args:
            images: One picture, several, or a batch (N, 3, H, W) preprocessed by ``transform``.
            batch: Images seen at a time.

        Raises:
            UserError: If a file is absent or not an image; it is named.
        """
        rows = []
        for part in self._batches(images, batch):
            with self.precision.context(self.device):
                rows.append(self.model.encode(part.to(self.device), self.text).logits.float().cpu())
        if not rows:
            return torch.empty(0, len(self.class_names))
        logits = torch.cat(rows)
        if self.train_counts is not None:
            logits = posthoc_adjust(logits, self.train_counts, self.tau)
        return logits / self.temperature

    def probabilities(self, images: Picture | Iterable[Picture] | Tensor) -> Tensor:
        """Probabilities (N, K); rows sum to 1."""
        return self.logits(images).softmax(dim=1)

    def top_k(
        self, images: Picture | Iterable[Picture] | Tensor, k: int = 5
    ) -> list[list[tuple[str, float]]]:
        """The k most probable class names of each image, with their probabilities."""
        values, places = self.probabilities(images).topk(min(k, len(self.class_names)), dim=1)
        rows = zip(values.tolist(), places.tolist(), strict=True)
        return [[(self.class_names[i], p) for p, i in zip(*row, strict=True)] for row in rows]

    def _batches(self, images: Picture | Iterable[Picture] | Tensor, size: int) -> Iterable[Tensor]:
        if isinstance(images, Tensor):
            if images.ndim != 4 or images.shape[1] != 3:
                raise ValueError(f"a batch must be (B, 3, H, W), got {tuple(images.shape)}")
            yield from images.split(size)
            return
        several = [images] if isinstance(images, (str, Path, Image.Image)) else list(images)
        for start in range(0, len(several), size):
            yield torch.stack([self.preprocess(one) for one in several[start : start + size]])

    def preprocess(self, picture: Picture) -> Tensor:
        """One image as the model takes it, (3, H, W), fp32.

        Raises:
            UserError: If a file is absent or not an image; it is named.
        """
        try:
            if isinstance(picture, Image.Image):
                return self.transform(to_rgb(picture))
            with Image.open(picture) as image:
                return self.transform(to_rgb(image))
        except FileNotFoundError:
            raise UserError(f"There is no image {picture}.") from None
        except IsADirectoryError:
            raise UserError(f"{picture} is a folder: give the images in it.") from None
        except READ_ERRORS as error:
            reason = reason_of(error, str(picture))
            raise UserError(f"{picture} cannot be read as an image ({reason}).") from None
