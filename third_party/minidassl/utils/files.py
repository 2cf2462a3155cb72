"""Small helpers around files, folders, json and images."""

from __future__ import annotations

import json
import os
import urllib.request
import warnings
from typing import Any

from PIL import Image

from minidassl.errors import DataError


def mkdir_if_missing(dirname: str) -> None:
    """Create a folder and its parents unless it is there.

    Args:
        dirname: Folder path.
    """
    os.makedirs(dirname or ".", exist_ok=True)


def check_isfile(fpath: str) -> bool:
    """Tell whether a file exists, with a warning when it does not.

    Args:
        fpath: File path.

    Returns:
        True if it is there.
    """
    found = os.path.isfile(fpath)
    if not found:
        warnings.warn(f'No file found at "{fpath}"', stacklevel=2)
    return found


def read_json(fpath: str) -> Any:
    """Read a json file.

    Args:
        fpath: File path.

    Returns:
        The decoded object.
    """
    with open(fpath, encoding="utf-8") as file:
        return json.load(file)


def write_json(obj: Any, fpath: str) -> None:
    """Write an object as indented json, creating the folder.

    Args:
        obj: Anything json can hold.
        fpath: File path.
    """
    mkdir_if_missing(os.path.dirname(fpath))
    with open(fpath, "w", encoding="utf-8") as file:
        json.dump(obj, file, indent=4, separators=(",", ": "))


def read_image(path: str) -> Image.Image:
    """Load an image file as RGB.

    Args:
        path: Image file.

    Returns:
        The decoded image.

    Raises:
        DataError: The file is missing or cannot be decoded; the sentence names it.
    """
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    # PIL reports broken files with several kinds of exception, SyntaxError among them
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = str(error).replace("\n", " ").rstrip(".") or type(error).__name__
        raise DataError(
            f"Cannot read the image {path} ({reason}); "
            "replace the file or take it out of the split."
        ) from error


def listdir_nohidden(path: str, sort: bool = False) -> list[str]:
    """List a folder without names that begin with a dot.

    Args:
        path: Folder.
        sort: In alphabetical order.

    Returns:
        Names, not paths.
    """
    names = [name for name in os.listdir(path) if not name.startswith(".")]
    return sorted(names) if sort else names


def tolist_if_not(x: Any) -> list:
    """Put a value into a list unless it is one.

    Args:
        x: Any value.

    Returns:
        ``x`` itself if a list, else ``[x]``.
    """
    return x if isinstance(x, list) else [x]


def download_url(url: str, dst: str) -> None:
    """Fetch a file; it appears under its name only once complete.

    Args:
        url: Where from.
        dst: File to write.
    """
    print(f'* url="{url}"')
    print(f'* destination="{dst}"')
    part = f"{dst}.part"
    urllib.request.urlretrieve(url, part)
    os.replace(part, dst)
