"""Few-shot choice: for each seed exactly the images that the CoOp family trains on."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol, TypeVar


class Labelled(Protocol):
    """An image with its label: a ``Record`` of ours or a ``Datum`` of Dassl's."""

    @property
    def label(self) -> int:
        """One of 0, 1, ..., K - 1."""


Item = TypeVar("Item", bound=Labelled)

VAL_SHOTS = 4  # the CoOp family never draws more than four validation images per class


def seeded_random(seed: int) -> random.Random:
    """A generator of our own: with a seed it neither reads nor moves the state of ``random``.

    Args:
        seed: Run seed; negative means unseeded, as in Dassl: the global state, which processes of
            one run have in common, decides.
    """
    return random.Random(seed if seed >= 0 else random.getrandbits(64))


def group_by_label(items: Sequence[Item]) -> dict[int, list[Item]]:
    """Items per label; labels in order of first appearance, items in their given order."""
    groups: dict[int, list[Item]] = {}
    for item in items:
        groups.setdefault(item.label, []).append(item)
    return groups


def draw_shots(items: Sequence[Item], shots: int, rng: random.Random) -> list[Item]:
    """Draw ``shots`` items of every class without replacement.

    Class after class in order of first appearance, one ``rng.sample`` each. A class with fewer
    items is taken whole, in its order, and draws nothing from ``rng``.

    Args:
        items: Records or datums.
        shots: Images per class, at least 1.
        rng: Generator, advanced in place.

    Returns:
        The chosen items, grouped by class.
    """
    chosen: list[Item] = []
    for group in group_by_label(items).values():
        chosen.extend(rng.sample(group, shots) if len(group) >= shots else group)
    return chosen


def few_shot(
    train: Sequence[Item], val: Sequence[Item], shots: int, seed: int
) -> tuple[list[Item], list[Item]]:
    """Shots for training and at most four per class for validation, from one generator.

    Args:
        train: All training items.
        val: All validation items; may be empty.
        shots: Images per class; below 1 keeps everything.
        seed: Run seed.

    Returns:
        ``(train, val)``. Source: behaviour of the CoOp family, which seeds the global generator
        with the run seed right before it draws train, then val.
    """
    if shots < 1:
        return list(train), list(val)
    rng = seeded_random(seed)
    chosen_train = draw_shots(train, shots, rng)
    return chosen_train, draw_shots(val, min(shots, VAL_SHOTS), rng)
