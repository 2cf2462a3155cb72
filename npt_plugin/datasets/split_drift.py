"""Comparing a folder with the split file that was drawn from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from npt_plugin.datasets.source import Record


def new_classes(
    found: Mapping[str, Collection[str]], known: Sequence[Record], split_file: str
) -> str:
    """A sentence about class folders that the split file does not have; empty if there are none.

    Args:
        found: Image names by class folder, as they are now.
        known: All records of the split file, ``<folder>/<image>``.
        split_file: Its name.
    """
    folders = {record.path.rpartition("/")[0] for record in known}
    added = {folder: names for folder, names in found.items() if names and folder not in folders}
    if not added:
        return ""
    images = sum(map(len, added.values()))
    return (
        f"ImageFolder: {len(added)} class folder(s) with {images} image(s) came after "
        f"'{split_file}' was drawn, the first is '{min(added)}'; delete that file to divide all "
        "classes again (labels and test images change), or move the new folders elsewhere."
    )


def new_images(
    found: Mapping[str, Collection[str]], known: Sequence[Record], split_file: str
) -> list[str]:
    """One line about images in known class folders that the split file does not have."""
    paths = {record.path for record in known}
    folders = {path.rpartition("/")[0] for path in paths}
    added = [
        f"{folder}/{name}"
        for folder, names in found.items()
        if folder in folders
        for name in names
        if f"{folder}/{name}" not in paths
    ]
    if not added:
        return []
    return [
        f"ImageFolder: {len(added)} image(s) came after '{split_file}' was drawn and are not used, "
        f"the first is '{added[0]}'; delete that file to divide all images again (the test images "
        "change)."
    ]
