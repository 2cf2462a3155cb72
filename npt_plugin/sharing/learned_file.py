"""What a run has learned, as one safetensors file that says what it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from npt_plugin.errors import UserError
from npt_plugin.runs.layout import checkpoint_file
from npt_plugin.system.files import write_atomically, write_text
from npt_plugin.system.safe_checkpoints import read_checkpoint, write_checkpoint

LEARNED = "learned.safetensors"
"""File name in a published folder."""

_FORMAT = "npt-plugin-learned-1"


@dataclass(frozen=True)
class Learned:
    """The learned tensors of a run.

    Attributes:
        model: Folder of the checkpoint in a run, ``prompt_learner`` for example.
        file: Name of the checkpoint there.
        tensors: By the names that public checkouts read.
        about: The other fields of the checkpoint: epoch, trainer, class names, validation accuracy.
    """

    model: str
    file: str
    tensors: dict[str, Tensor]
    about: dict[str, Any]

    @classmethod
    def of_run(cls, folder: Path, epoch: int | None) -> Learned:
        """Read a run's checkpoint.

        Args:
            folder: The run's folder.
            epoch: Whose prompts; None: the best by validation.

        Raises:
            UserError: If there is none, or it is damaged.
        """
        found = [p for p in sorted(folder.glob("*/model*.pth.tar*")) if p.is_file()]
        models = {path.parent.name for path in found}
        if len(models) != 1:
            raise UserError(
                f"{folder} holds {'several models' if models else 'no checkpoint'}: publish the "
                "run that was trained (of a test, the run it tested)."
            )
        (model,) = models
        file = checkpoint_file(folder, model, epoch)
        content = read_checkpoint(file)
        return cls(model, file.name, content.pop("state_dict"), content)

    def save(self, path: Path) -> None:
        """Write the file atomically."""
        said = {"format": _FORMAT, "model": self.model, "file": self.file}
        said["about"] = json.dumps(self.about)
        data = save({name: t.contiguous() for name, t in self.tensors.items()}, said)
        write_atomically(path, lambda file: file.write(data))

    @classmethod
    def load(cls, path: Path) -> Learned:
        """Read such a file.

        Raises:
            UserError: If it is damaged, or something else.
        """
        try:
            with safe_open(str(path), framework="pt") as file:
                said = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise UserError(f"{path} cannot be read ({error}): get it anew.") from None
        if said.get("format") != _FORMAT:
            raise UserError(
                f"{path} was not written by `npt publish` of this version (format "
                f"{said.get('format')!r}, not {_FORMAT!r})."
            )
        model, file = (Path(said[key]).name for key in ("model", "file"))  # names, never paths
        return cls(model, file, tensors, json.loads(said["about"]))

    def as_checkpoint(self, folder: Path) -> Path:
        """Write the checkpoint that the run had into another folder; returns its path."""
        path = folder / self.model / self.file
        write_checkpoint(path, {"state_dict": self.tensors, **self.about})
        write_text(path.with_name("checkpoint"), f"{path.name}\n")
        return path

    def numbers(self) -> int:
        """How many numbers were learned."""
        return sum(torch.numel(tensor) for tensor in self.tensors.values())
