"""Group samples and draw a few of each class."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter

from minidassl.data.datasets.datum import Datum


def group_by(samples: Iterable[Datum], attribute: str) -> dict[int, list[Datum]]:
    """Group samples by an attribute.

    Args:
        samples: Any samples.
        attribute: ``label`` or ``domain``.

    Returns:
        Lists by value, both in order of first appearance.
    """
    key = attrgetter(attribute)
    groups: defaultdict[int, list[Datum]] = defaultdict(list)
    for item in samples:
        groups[key(item)].append(item)
    return groups


def draw_shots(samples: Sequence[Datum], num_shots: int, repeat: bool) -> list[Datum]:
    """Draw the same number of samples of each class from Python's global generator.

    Classes are served in order of first appearance; only those with enough samples, or repeated
    ones, use up random numbers.

    Args:
        samples: Labelled samples.
        num_shots: How many of each class.
        repeat: Draw with replacement from classes that have fewer; otherwise take all of them.

    Returns:
        The drawn samples, class after class.
    """
    drawn: list[Datum] = []
    for group in group_by(samples, "label").values():
        if len(group) >= num_shots:
            group = random.sample(group, num_shots)
        elif repeat:
            group = random.choices(group, k=num_shots)
        drawn += group
    return drawn
