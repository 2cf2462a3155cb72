"""Many-, medium- and few-shot classes: the one definition that records and reports follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GROUPS = ("many", "medium", "few")
"""Names of the groups, from the most to the least frequent classes."""

_LONG_TAIL = 100
"""A largest class above this makes long-tail data, as the benchmarks of the field have them."""


@dataclass(frozen=True)
class ShotGroups:
    """When a class counts as many-, medium- or few-shot, by its number of training images.

    Long-tail data, whose largest class has more than 100 images, follow the benchmarks: many-shot
    above 100, few-shot below 20 (Liu et al. 2019, arXiv:1904.05160). With at most 100 images these
    thresholds would leave no many-shot class. There the same idea is scaled to the largest class:
    many-shot above n_max / 2, few-shot below n_max / 5; that is our choice. Two consequences:
    balanced data have many-shot classes only, and four shots at tau 0.06 have no few-shot class,
    since every class has at least one image and one is not below 4 / 5.

    Attributes:
        many_above: Many-shot: more training images than this.
        few_below: Few-shot: fewer than this. The rest is medium-shot.
    """

    many_above: float
    few_below: float

    @classmethod
    def for_counts(
        cls, counts: Sequence[int], many_above: float = -1, few_below: float = -1
    ) -> ShotGroups:
        """The thresholds for these training counts.

        Args:
            counts: Training images of each class.
            many_above: Takes the place of the rule's threshold if 0 or more.
            few_below: The same.
        """
        n_max = max(counts, default=0)
        usual = (100.0, 20.0) if n_max > _LONG_TAIL else (n_max / 2, n_max / 5)
        return cls(
            many_above if many_above >= 0 else usual[0], few_below if few_below >= 0 else usual[1]
        )

    def group(self, count: int) -> str:
        """The group of a class with this many training images; one of ``GROUPS``."""
        if count > self.many_above:
            return "many"
        return "few" if count < self.few_below else "medium"
