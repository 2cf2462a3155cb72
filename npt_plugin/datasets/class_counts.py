"""Class counts of a training set, as numbers and as lines for the log."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

MAX_LISTED = 60  # classes shown one by one; beyond this the middle is left out
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


def describe(dataset: Any) -> str:
    """The class histogram of the training set, for the log at the start of a run.

    Args:
        dataset: Anything with ``train_x`` and ``classnames``.

    Returns:
        A head line (images, classes, largest, smallest, ratio) and one line per class; of more
        than 60 classes the first and last 30.
    """
    counts = class_counts(dataset).tolist()
    top, low = max(counts), min(counts)
    lines = [
        f"Training images per class: {sum(counts)} images, {len(counts)} classes, "
        f"most {top}, least {low}, n_min/n_max {low / max(top, 1):.4g}"
    ]
    rows = [
        f"  {label:>4} {count:>6}  {'#' * round(BAR_WIDTH * count / max(top, 1)):<{BAR_WIDTH}}  "
        f"{name}"
        for label, (count, name) in enumerate(zip(counts, dataset.classnames, strict=True))
    ]
    if len(rows) > MAX_LISTED:
        half = MAX_LISTED // 2
        hidden = counts[half:-half]
        middle = f"  ...  {len(hidden)} more classes with {min(hidden)} to {max(hidden)} images"
        rows = [*rows[:half], middle, *rows[-half:]]
    return "\n".join(line.rstrip() for line in [*lines, *rows])
