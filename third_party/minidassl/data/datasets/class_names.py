"""Derive and check the class list of a dataset.

Names taken from the training samples are right only if every class has one: a class without samples
would shift the name of every later class. So gaps are refused, unless the list is given.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence

from minidassl.data.datasets.datum import Datum
from minidassl.errors import DataError


def names_from_samples(samples: Iterable[Datum]) -> dict[int, str]:
    """Collect the class name of each label.

    Args:
        samples: Labelled samples.

    Returns:
        Class names by label, labels ascending.

    Raises:
        DataError: Two samples of one label have different class names.
    """
    names: dict[int, str] = {}
    for item in samples:
        known = names.setdefault(item.label, item.classname)
        if known != item.classname:
            raise DataError(
                f"Label {item.label} has two class names, {known!r} and {item.classname!r} "
                f"({item.impath}); give each label one name."
            )
    return dict(sorted(names.items()))


def complete_names(train: Sequence[Datum], explicit: Sequence[str] | None) -> dict[int, str]:
    """Return the name of every class, labels 0 to K-1 without a gap.

    Args:
        train: Training samples, which carry the names unless a list is given.
        explicit: Names of classes 0, 1, ..., or None.

    Returns:
        Class names by label.

    Raises:
        DataError: No samples, or labels with gaps and no explicit list.
    """
    if explicit is not None:
        return dict(enumerate(explicit))
    if not train:
        raise DataError("The training split is empty; check the dataset's files and split.")
    names = names_from_samples(train)
    missing = sorted(set(range(max(names) + 1)) - set(names))
    if min(names) < 0 or missing:
        what = f"no sample of label {missing[0]}" if missing else f"label {min(names)}"
        raise DataError(
            f"The training split has {what}; labels must be 0 to K-1, or the dataset must give "
            "its class names explicitly (classnames=[...])."
        )
    return names


def check_split(name: str, samples: Iterable[Datum], names: Mapping[int, str]) -> None:
    """Refuse samples whose label is not a class, or whose class name is another one.

    Code written for Dassl, which runs under that name, may use a class name twice (a teacher's
    classes beside a student's); there the first other name is only said.

    Args:
        name: Name of the split, for the message.
        samples: Its samples.
        names: Class names by label.

    Raises:
        DataError: Naming the first offending sample.
    """
    for item in samples:
        if item.label not in names:
            raise DataError(
                f"The {name} split has label {item.label} ({item.impath}), but the classes are "
                f"0 to {len(names) - 1}."
            )
        if item.classname and item.classname != names[item.label]:
            message = (
                f"The {name} split calls label {item.label} {item.classname!r} ({item.impath}), "
                f"but the class list calls it {names[item.label]!r}."
            )
            if "dassl" not in sys.modules:
                raise DataError(message)
            print(f"Note: {message} Dassl takes such data, so it stays.")
            return
