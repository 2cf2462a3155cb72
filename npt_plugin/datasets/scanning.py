"""Listing folders the way the CoOp family does, so that the same seed picks the same images.

Images inside a class folder come in the order the file system gives them, as in the CoOp family;
sorting them would change which images a seed picks. Splits are therefore fixed in a JSON file.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from npt_plugin.datasets.source import Record
from npt_plugin.errors import UserError


def visible(folder: str) -> list[str]:
    """Names in a folder without hidden ones, in the file system's order.

    Raises:
        UserError: The folder is missing or unreadable.
    """
    try:
        return [name for name in os.listdir(folder) if not name.startswith(".")]
    except OSError as error:
        raise UserError(
            f"'{folder}' cannot be read ({error.strerror}); see docs/datasets.md for the layout."
        ) from error


def class_folders(folder: str, ignored: Sequence[str] = ()) -> list[str]:
    """Sorted names of the visible sub-folders that hold classes.

    Raises:
        UserError: There is none.
    """
    names = sorted(
        name
        for name in visible(folder)
        if name not in ignored and os.path.isdir(os.path.join(folder, name))
    )
    if not names:
        raise UserError(f"'{folder}' holds no class folder; expected one folder per class.")
    return names


def folder_records(root: str, folder: str, label: int, classname: str) -> list[Record]:
    """One record per visible file of ``root/folder``.

    Raises:
        UserError: The folder is missing or empty.
    """
    names = visible(os.path.join(root, folder))
    if not names:
        raise UserError(
            f"'{os.path.join(root, folder)}' is empty; every class folder needs at least one image."
        )
    return [Record(f"{folder}/{name}", label, classname) for name in names]
