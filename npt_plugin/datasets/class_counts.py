"""Class counts of a training set, as numbers and as lines for the log."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

MAX_LISTED = 60  # classes shown one by one; beyond this the middle is left out
ENDS = 3  # classes the log of a run shows of either end
BAR_WIDTH = 30


def class_counts(dataset: Any) -> Tensor:
    """Training images per class.

    Args:
        dataset: Anything with ``train_x`` and ``classnames``.

    Returns:
        int64 counts, (K,), K = number of class names, so classes without images count as 0.
    """
    labels = torch.tensor([item.label for item in dataset.train_x], dtype=torch.int64)  # (N,)
    return torch.bincount(labels, minlength=len(dataset.classnames))  # (K,)


def by_frequency(dataset: Any) -> str:
    """The class counts of the training set in a few lines, for the log at the start of a run.

    Args:
        dataset: Anything with ``train_x`` and ``classnames``.

    Returns:
        The head line of :func:`describe`; where the classes differ, the most and the least frequent
        ones, and what lies between.
    """
    counts = class_counts(dataset).tolist()
    if min(counts) == max(counts):
        return _head(counts)
    order = sorted(range(len(counts)), key=lambda k: -counts[k])
    rows = [_row(k, counts, dataset.classnames[k]) for k in order]
    if len(rows) > 2 * ENDS + 1:
        hidden = [counts[k] for k in order[ENDS:-ENDS]]
        rows = [*rows[:ENDS], _hidden(hidden), *rows[-ENDS:]]
    return "\n".join([_head(counts), *rows])


def describe(dataset: Any) -> str:
    """The class histogram of the training set.

    Args:
        dataset: Anything with ``train_x`` and ``classnames``.

    Returns:
        A head line (images, classes, largest, smallest, ratio) and one line per class; of more
        than 60 classes the first and last 30.
    """
    counts = class_counts(dataset).tolist()
    rows = [_row(label, counts, name) for label, name in enumerate(dataset.classnames)]
    if len(rows) > MAX_LISTED:
        half = MAX_LISTED // 2
        rows = [*rows[:half], _hidden(counts[half:-half]), *rows[-half:]]
    return "\n".join([_head(counts), *rows])


def _head(counts: list[int]) -> str:
    top, low = max(counts), min(counts)
    return (
        f"Training images per class: {sum(counts)} images, {len(counts)} classes, "
        f"most {top}, least {low}, n_min/n_max {low / max(top, 1):.4g}"
    )


def _row(label: int, counts: list[int], name: str) -> str:
    bar = "#" * round(BAR_WIDTH * counts[label] / max(*counts, 1))
    return f"  {label:>4} {counts[label]:>6}  {bar:<{BAR_WIDTH}}  {name}".rstrip()


def _hidden(counts: list[int]) -> str:
    return f"  ...  {len(counts)} more classes with {min(counts)} to {max(counts)} images"
