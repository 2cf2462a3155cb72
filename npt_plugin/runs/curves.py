"""Where a run's curves go: TensorBoard, wandb, both or neither, behind ``add_scalar``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from npt_plugin.errors import UserError, nearest_hint
from npt_plugin.runs.config_tree import config_as_dict
from npt_plugin.system import ranks

KINDS = ("tensorboard", "wandb", "none")
"""What ``TRAIN.LOG`` may name; several with ``+`` between them."""


class Curves(Protocol):
    """What a trainer writes numbers to; TensorBoard's ``SummaryWriter`` is one."""

    def add_scalar(self, tag: str, scalar_value: Any, global_step: int | None = None) -> None:
        """Add a point to the curve ``tag``."""

    def close(self) -> None:
        """Write what is left."""


class Wandb:
    """A run of wandb.

    Args:
        trainer: Names the run, and its config goes along.
        folder: Where wandb keeps its files.

    Raises:
        UserError: If wandb is not installed.
    """

    def __init__(self, trainer: Any, folder: str) -> None:
        try:
            import wandb
        except ImportError:
            raise UserError(
                "TRAIN.LOG asks for wandb, which is not installed: run `pip install wandb`, or "
                "take tensorboard."
            ) from None
        cfg = trainer.cfg
        Path(folder).mkdir(parents=True, exist_ok=True)
        name = f"{cfg.TRAINER.NAME} {cfg.DATASET.NAME} seed {cfg.SEED}"
        project = "npt-plugin"
        self.run = wandb.init(project=project, name=name, dir=folder, config=config_as_dict(cfg))

    def add_scalar(self, tag: str, scalar_value: Any, global_step: int | None = None) -> None:
        """Log one number; an axis of its own, as a tag's steps may fall behind another's."""
        self.run.log({tag: float(scalar_value), f"{tag} step": global_step})

    def close(self) -> None:
        """End the run."""
        self.run.finish()


class Several:
    """All of several."""

    def __init__(self, curves: Sequence[Curves]) -> None:
        self.curves = curves

    def add_scalar(self, tag: str, scalar_value: Any, global_step: int | None = None) -> None:
        """Pass a point on to each."""
        for one in self.curves:
            one.add_scalar(tag, scalar_value, global_step)

    def close(self) -> None:
        """Close each."""
        for one in self.curves:
            one.close()


def kinds_of(word: str) -> list[str]:
    """The loggers that ``TRAIN.LOG`` names.

    Raises:
        UserError: On another word.

    Example:
        >>> kinds_of("tensorboard+wandb"), kinds_of("none")
        (['tensorboard', 'wandb'], [])
    """
    words = word.split("+")
    for name in words:
        if name not in KINDS or (name == "none" and len(words) > 1):
            raise UserError(
                f"TRAIN.LOG is {word!r}{nearest_hint(name, KINDS)}; it takes "
                f"{', '.join(KINDS)}, or two with + between them."
            )
    return [name for name in words if name != "none"]


def open_curves(trainer: Any, folder: str, tensorboard: Callable[[str], object]) -> Curves | None:
    """What a trainer writes its numbers to from now on; None: nothing.

    Of several processes of one run only that which writes has curves.

    Args:
        trainer: A trainer; one whose curves are open keeps them.
        folder: For their files.
        tensorboard: Opens Dassl's own writer as ``trainer._writer``.
    """
    there: Curves | None = trainer.__dict__.get("_writer")
    if there is not None or not ranks.writes():
        return there
    found: list[Curves] = []
    for kind in kinds_of(trainer.cfg.TRAIN.LOG):
        if kind == "wandb":
            found.append(Wandb(trainer, folder))
        else:
            tensorboard(folder)
            found += [trainer._writer] if trainer._writer is not None else []
    return found[0] if len(found) == 1 else Several(found) if found else None
