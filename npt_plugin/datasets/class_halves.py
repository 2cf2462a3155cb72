"""The halves of the classes that base-to-new experiments call base and new."""

from __future__ import annotations

import math
from collections.abc import Sequence

from npt_plugin.datasets.source import Record
from npt_plugin.errors import UserError

SUBSETS = ("all", "base", "new")


def labels_of(subset: str, num_classes: int) -> range:
    """Original labels of a subset: base is the first ceil(K/2) labels, new is the rest.

    Args:
        subset: All, base or new.
        num_classes: K.

    Raises:
        UserError: Unknown subset, or one that would hold no class.
    """
    half = math.ceil(num_classes / 2)
    ranges = {"all": range(num_classes), "base": range(half), "new": range(half, num_classes)}
    if subset not in ranges:
        raise UserError(
            f"DATASET.SUBSAMPLE_CLASSES is '{subset}'; use one of {', '.join(SUBSETS)}."
        )
    if not ranges[subset]:
        raise UserError(
            f"DATASET.SUBSAMPLE_CLASSES {subset} is empty: the dataset has {num_classes} class."
        )
    return ranges[subset]


def keep_classes(records: Sequence[Record], labels: range) -> list[Record]:
    """Records of the given labels, in order, relabelled to start at 0."""
    return [r._replace(label=r.label - labels.start) for r in records if r.label in labels]
