"""Proof that the committed script is the one that made the committed weights.

A full run takes minutes, so its first steps are recorded in the card and re-derived on demand:

* a SHA-256 of what the first batches show, their captions and token ids. It depends on NumPy's
  generators alone and must match exactly;
* the mean pixel value, the contrastive losses, and how far the parameters moved. They depend on
  how Pillow draws edges and how the processor rounds, so they must match within a tolerance;
  another seed, learning rate, loss or drawing differs by far more.

The weights themselves must have the card's SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from npt_plugin.backbone.tiny import WEIGHTS_FILE
from npt_plugin.embedded.batches import Batch
from npt_plugin.embedded.recipe import Recipe
from npt_plugin.embedded.weights import CARD_FILE, file_sha256, read_card

STEPS = 4
TOLERANCE = 2e-3
"""Largest allowed absolute difference of the pixel mean and the losses."""
MOVE_TOLERANCE = 0.02
"""Largest allowed relative difference of the distance the parameters moved."""


class Trace:
    """Collects the record of a run's first steps.

    Args:
        model: The model, before its first step.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.start = [p.detach().clone() for p in model.parameters()]
        self.digest, self.pixels = hashlib.sha256(), 0.0
        self.losses: list[float] = []
        self.moved = 0.0

    def add(self, batch: Batch, loss: float) -> None:
        """Add one finished step; steps after the first few change nothing.

        Args:
            batch: Its pictures and captions.
            loss: Its contrastive loss.
        """
        if len(self.losses) >= STEPS:
            return
        for tensor in (batch.facts, batch.tokens, batch.caption_of):
            self.digest.update(tensor.numpy().astype("<i8").tobytes())
        self.digest.update("\n".join(batch.texts).encode())
        self.pixels += batch.images.mean().item() / STEPS
        self.losses.append(loss)
        if len(self.losses) == STEPS:
            pairs = zip(self.model.parameters(), self.start, strict=True)
            with torch.no_grad():
                self.moved = sum((p - q).square().sum().item() for p, q in pairs) ** 0.5
            self.start = []

    def record(self) -> dict[str, Any]:
        """The record for the card."""
        return {
            "steps": STEPS,
            "data_sha256": self.digest.hexdigest(),
            "pixel_mean": round(self.pixels, 6),
            "losses": [round(loss, 6) for loss in self.losses],
            "moved": round(self.moved, 6),
        }


def differences(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """Compare two records.

    Args:
        found: Re-derived record.
        expected: Record from the card.

    Returns:
        One phrase for each thing that does not match; empty when all match.
    """
    wrong = []
    if found["data_sha256"] != expected["data_sha256"]:
        wrong.append("the drawn facts, captions or tokens differ")
    if abs(found["pixel_mean"] - expected["pixel_mean"]) > TOLERANCE:
        wrong.append(f"pixel mean {found['pixel_mean']} instead of {expected['pixel_mean']}")
    pairs = list(zip(found["losses"], expected["losses"], strict=False))
    if len(pairs) != STEPS or any(abs(a - b) > TOLERANCE for a, b in pairs):
        wrong.append(f"losses {found['losses']} instead of {expected['losses']}")
    if abs(found["moved"] - expected["moved"]) > MOVE_TOLERANCE * expected["moved"]:
        wrong.append(f"parameters moved {found['moved']} instead of {expected['moved']}")
    return wrong


def check_committed(
    rerun: Callable[[Recipe, int], dict], weights: Path = WEIGHTS_FILE, card_file: Path = CARD_FILE
) -> tuple[bool, str]:
    """Check the weights against their card, and the card against a short rerun.

    Args:
        rerun: Runs the first steps of a recipe and returns the record.
        weights: Safetensors file.
        card_file: Its card.

    Returns:
        Whether all is well, and one line that says so or what is wrong.
    """
    card = read_card(card_file)
    if file_sha256(weights) != card["sha256"]:
        return False, f"CHECK FAILED: {weights.name} does not have the checksum in its card"
    known = {field.name for field in fields(Recipe)}
    recipe = Recipe(**{name: value for name, value in card["recipe"].items() if name in known})
    torch.set_num_threads(1)  # fixed order of sums
    wrong = differences(rerun(recipe, STEPS), card["check"])
    if wrong:
        return False, f"CHECK FAILED: {'; '.join(wrong)}"
    return True, (
        f"CHECK PASSED: the first {STEPS} of {recipe.steps} steps are those of the committed run "
        f"(data {card['check']['data_sha256'][:12]}, weights {card['sha256'][:12]})"
    )
