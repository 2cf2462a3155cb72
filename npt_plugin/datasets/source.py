"""What a reader returns: the images of three splits and an explicit list of classes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from npt_plugin.errors import UserError


class Record(NamedTuple):
    """One labelled image, before it becomes a ``Datum``.

    Args:
        path: File, relative to the image folder of its source, with forward slashes.
        label: Class index, 0..K-1.
        classname: Name of the class as prompts will use it.
        domain: Domain index; 0 where a dataset has no domains.
    """

    path: str
    label: int
    classname: str
    domain: int = 0


@dataclass
class Source:
    """Everything a dataset offers, before shots, class halves and imbalance.

    Args:
        name: Registry name, e.g. ``OxfordPets``.
        image_root: Absolute folder the record paths are relative to.
        classnames: K names in label order; never inferred from what is left in train.
        train, val, test: Records of each split; ``val`` may be empty.
        val_is_test: The test images also serve as validation set (ImageNet), so shots skip them.
        test_only: Train repeats the test images (ImageNetV2, ...): nothing is ever left out.
        remarks: Lines for the start of a run.
        problems: Lines for the start of a run that a check of the data counts as problems.
        refusal: A problem that no run should start with; empty if there is none.
    """

    name: str
    image_root: str
    classnames: list[str]
    train: list[Record]
    val: list[Record] = field(default_factory=list)
    test: list[Record] = field(default_factory=list)
    val_is_test: bool = False
    test_only: bool = False
    remarks: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    refusal: str = ""


def classnames_of(name: str, *splits: Iterable[Record]) -> list[str]:
    """Names in label order over all splits together.

    Args:
        name: Dataset name for the error message.
        splits: Any number of record lists.

    Returns:
        K names; entry k belongs to label k.

    Raises:
        UserError: Labels that do not run from 0 to K-1 without a gap, or one label with two names.
    """
    found: dict[int, str] = {}
    for record in (record for split in splits for record in split):
        known = found.setdefault(record.label, record.classname)
        if known != record.classname:
            raise UserError(
                f"{name}: label {record.label} is called both '{known}' and '{record.classname}' "
                f"('{record.path}'); give each label exactly one class name."
            )
    check_labels(name, found)
    return [found[label] for label in range(len(found))]


def check_labels(name: str, labels: Iterable[int]) -> None:
    """Check that labels are 0..K-1, each used at least once.

    Args:
        name: Dataset name for the error message.
        labels: The labels in use, repeated or not, in any order.

    Raises:
        UserError: No label at all, a negative one, labels that start at 1, or a gap.
    """
    used = sorted(set(labels))
    if not used:
        raise UserError(f"{name}: there is not a single image; check the folder or the list files.")
    if used[0] == 1 and used == list(range(1, len(used) + 1)):
        raise UserError(
            f"{name}: labels run from 1 to {used[-1]}, but they must run from 0 to "
            f"{used[-1] - 1}; subtract 1 from every label."
        )
    expected = next((want for want, got in enumerate(used) if want != got), None)
    if expected is not None:
        raise UserError(
            f"{name}: labels must run from 0 to K-1 without a gap, but label {expected} is missing "
            f"while label {used[-1]} exists; renumber the labels or give the full list of classes."
        )


def check_source(source: Source, allow_empty: bool = False) -> list[str]:
    """Check a source against its own class list.

    Args:
        source: What a reader returned.
        allow_empty: Accept classes without a training image.

    Returns:
        Remarks worth printing (the reader's, duplicate class names), possibly none.

    Raises:
        UserError: What the reader refuses, no class, no training image, a label outside 0..K-1, or
            a class absent from train.
    """
    if source.refusal:
        raise UserError(source.refusal)
    num_classes = len(source.classnames)
    for split_name in ("train", "val", "test"):
        for record in getattr(source, split_name):
            if not 0 <= record.label < num_classes:
                raise UserError(
                    f"{source.name}: label {record.label} of '{record.path}' in {split_name} is "
                    f"outside 0..{num_classes - 1} ({num_classes} class names are known); labels "
                    "start at 0, so check for 1-based labels."
                )
    if not source.train:
        raise UserError(
            f"{source.name}: the training set is empty (looked under '{source.image_root}')."
        )
    absent = sorted(set(range(num_classes)) - {record.label for record in source.train})
    if absent and not allow_empty:
        raise UserError(
            f"{source.name}: class {absent[0]} ('{source.classnames[absent[0]]}') has no training "
            f"image ({len(absent)} such class(es)); add images, or set "
            "DATASET.ALLOW_EMPTY_CLASSES True to keep the class for testing only."
        )
    same_names = duplicate_names(source.name, source.classnames)
    return [*source.problems, *source.remarks, *same_names]


def duplicate_names(name: str, classnames: Sequence[str]) -> list[str]:
    """One remark per class name that stands for more than one label.

    Names are compared as prompts show them: without regard to case, underscores or outer spaces.
    """
    labels: dict[str, list[int]] = {}
    for label, classname in enumerate(classnames):
        labels.setdefault(classname.replace("_", " ").strip().lower(), []).append(label)
    return [
        f"{name}: classes {', '.join(map(str, same))} are all called '{classnames[same[0]]}'; "
        "their prompts are identical, so no method can tell them apart by name."
        for same in labels.values()
        if len(same) > 1
    ]


def check_files(source_name: str, image_root: str, records: Iterable[Record]) -> None:
    """Check that every record names an existing file.

    Raises:
        UserError: With the number of missing files and the first of them.
    """
    records = list(records)
    missing = [r.path for r in records if not os.path.isfile(os.path.join(image_root, r.path))]
    if missing:
        raise UserError(
            f"{source_name}: {len(missing)} of {len(records)} images are missing under "
            f"'{image_root}', the first is '{missing[0]}'"
            f"{' (its path is written with backslashes)' if chr(92) in missing[0] else ''}; "
            f"`npt data verify {source_name}` counts them by folder."
        )
