"""A training that diverges says so, while it runs and in its record."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

SETTLED = 3
"""Epoch from which a loss above that of equal scores counts: before, it may still be falling."""

FACTOR, RISE = 1.5, 0.5
"""How far an epoch's loss has to be above the first epoch's: both as a factor and in nats."""


def divergence(
    history: Sequence[Mapping[str, Any]], classes: int, margins: bool = False
) -> tuple[int, str] | None:
    """The first epoch whose classification loss speaks against the training; mostly none.

    Args:
        history: Of each epoch so far its means, ``ce`` or else ``loss`` among them.
        classes: K; equal scores for all classes have the loss ln K.
        margins: Whether the loss has margins or noise in it, which raise it above ln K anyway.

    Returns:
        The epoch, and half a sentence on it.

    Example:
        >>> divergence([{"loss": 2.0}, {"loss": 5.0}, {"loss": 0.1}], classes=16)
        (2, 'the loss of epoch 2 is 5.00, far above the 2.00 of epoch 1')
        >>> divergence([{"loss": 2.0}, {"loss": 0.7}], classes=16)
    """
    losses = [float(entry.get("ce", entry.get("loss", math.nan))) for entry in history]
    chance = math.inf if margins else math.log(classes)
    for epoch, loss in enumerate(losses, start=1):
        said = f"the loss of epoch {epoch} is {loss:.2f}"
        if loss > max(FACTOR * losses[0], losses[0] + RISE):
            return epoch, f"{said}, far above the {losses[0]:.2f} of epoch 1"
        if epoch >= SETTLED and loss > chance:
            return epoch, f"{said}, above the {chance:.2f} of equal scores for {classes} classes"
    return None
