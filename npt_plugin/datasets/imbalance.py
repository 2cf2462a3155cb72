"""Controlled class imbalance: how many images each class keeps, and which."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from npt_plugin.datasets.fewshot import Item, seeded_random
from npt_plugin.errors import UserError

PROFILES = ("exp", "step", "exp_down")
ORDERS = ("index", "random", "frequency", "shots")


@dataclass(frozen=True)
class ImbalanceSpec:
    """The class imbalance a run asks for.

    Args:
        ratio: tau = n_min / n_max in (0, 1]; 1.0 changes nothing.
        profile: exp (geometric decay over the classes), step (first half full, second half tau) or
            exp_down (as Candle has it: exp from the largest class at hand, rounded down).
        order: Which class is head: index (label order), random (seeded), frequency (most frequent
            in the full training set first) or shots (as Candle has it: most frequent among the
            shots, which is label order where all classes have as many).

    Raises:
        UserError: A value outside these.
    """

    ratio: float = 1.0
    profile: str = "exp"
    order: str = "index"

    def __post_init__(self) -> None:
        """Refuse values outside those described above."""
        if not (isinstance(self.ratio, (int, float)) and 0 < self.ratio <= 1):
            raise UserError(
                f"DATASET.IMBALANCE.RATIO is {self.ratio}; it is n_min / n_max and must be above 0 "
                "and at most 1 (1.0 is balanced, 0.06 leaves 1 of 16 shots to the last class)."
            )
        for key, value, allowed in (
            ("PROFILE", self.profile, PROFILES),
            ("ORDER", self.order, ORDERS),
        ):
            if value not in allowed:
                raise UserError(
                    f"DATASET.IMBALANCE.{key} is '{value}'; use one of {', '.join(allowed)}."
                )

    @classmethod
    def from_cfg(cls, cfg: Any) -> ImbalanceSpec:
        """Read ``DATASET.IMBALANCE``; a config without it is balanced."""
        node = cfg.DATASET.get("IMBALANCE", None)
        if node is None:
            return cls()
        return cls(node.RATIO, node.PROFILE, node.ORDER)


def class_sizes(num_classes: int, n_max: int, ratio: float, profile: str = "exp") -> list[int]:
    """Images per rank, head first.

    exp: n_k = max(1, round(n_max * tau^(k / (K-1)))). step: n_max for the first ceil(K/2) ranks,
    max(1, round(n_max * tau)) for the others. exp_down: exp with the fraction cut off, as in the
    public code of Candle (arXiv:2406.12638).

    Args:
        num_classes: K, at least 1.
        n_max: Images of the head class, at least 1.
        ratio: tau in (0, 1].
        profile: One of ``PROFILES``.

    Returns:
        K counts that never increase, from n_max down to at least 1.
    """
    if profile == "step":
        head = math.ceil(num_classes / 2)
        exponents = [0.0] * head + [1.0] * (num_classes - head)
    else:
        exponents = [rank / max(num_classes - 1, 1) for rank in range(num_classes)]
    whole = int if profile == "exp_down" else round
    return [max(1, whole(n_max * ratio**exponent)) for exponent in exponents]


def class_order(
    num_classes: int, order: str, seed: int, frequencies: Sequence[int] | None = None
) -> list[int]:
    """Labels from head to tail.

    Args:
        num_classes: K.
        order: One of ``ORDERS``.
        seed: Run seed for random; negative means unseeded.
        frequencies: Images per label, (K,): in the full training set for frequency, among the shots
            for shots.
    """
    labels = list(range(num_classes))
    if order == "random":
        seeded_random(seed).shuffle(labels)
    elif order in ("frequency", "shots"):
        if frequencies is None:
            raise ValueError(f"order {order!r} needs the class frequencies")
        labels.sort(key=lambda label: -frequencies[label])  # stable: ties stay in label order
    return labels


def keep_first(items: Sequence[Item], sizes: dict[int, int]) -> list[Item]:
    """The first ``sizes[label]`` items of each label, in the given order.

    Keeping a prefix makes ratios nest: what a smaller tau keeps, a larger tau keeps too.
    """
    seen: Counter[int] = Counter()
    kept = []
    for item in items:
        label = item.label
        if seen[label] < sizes[label]:
            seen[label] += 1
            kept.append(item)
    return kept


def make_imbalanced(
    items: Sequence[Item],
    spec: ImbalanceSpec,
    num_classes: int,
    n_max: int,
    seed: int,
    frequencies: Sequence[int] | None = None,
) -> list[Item]:
    """Cut a training set down to the wanted profile; no class is emptied.

    Args:
        items: Balanced shots, or the full training set.
        spec: Ratio, profile, order.
        num_classes: K.
        n_max: Images of the head class: NUM_SHOTS, or for full sets the size of the largest class;
            below 1, and for exp_down, that size is taken. A class that has fewer than its share
            keeps all it has.
        seed: Run seed (only for order random).
        frequencies: Images per label in the full training set (only for order frequency).

    Returns:
        A new list; with ratio 1.0 exactly the given items in the given order.
    """
    if spec.ratio == 1:
        return list(items)
    there = Counter(item.label for item in items)
    if n_max < 1 or spec.profile == "exp_down":
        n_max = max(there.values())
    if spec.order == "shots":
        frequencies = [there[label] for label in range(num_classes)]
    sizes = class_sizes(num_classes, n_max, spec.ratio, spec.profile)
    order = class_order(num_classes, spec.order, seed, frequencies)
    return keep_first(items, dict(zip(order, sizes, strict=True)))
