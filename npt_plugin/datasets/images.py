"""Reading images: a broken file is named in one sentence, also from a worker process."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from npt_plugin.errors import UserError
from npt_plugin.system.files import write_atomically

CACHES = ("", "memory", "disk")


class BadImageError(UserError):
    """An image that cannot be read.

    PyTorch re-raises a worker's exception with the worker's whole traceback as its message; here
    only the sentence is kept.

    Args:
        message: the sentence, or PyTorch's wrapping of it.
    """

    def __init__(self, message: str) -> None:
        marker = "BadImageError: "
        if message.startswith("Caught ") and marker in message:
            message = message.rsplit(marker, 1)[1].strip()
        super().__init__(message)


def read_image(path: str) -> Image.Image:
    """Decode a file to RGB.

    Args:
        path: image file.

    Raises:
        BadImageError: absent, cut short or no image; names the path.
    """
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        reason = reason.replace(f" {path!r}", "")  # it is named already
        raise BadImageError(
            f"The image '{path}' cannot be read ({reason}); replace the file, or take it out of "
            "the split (`npt data verify` finds all such files)."
        ) from None


class ImageCache:
    """Decoded images kept in memory or on disk.

    Pixels are exactly those of :func:`read_image`. On disk, an image is found by path, size and
    modification time, so a replaced file is decoded anew.

    Args:
        mode: ``""`` (off), ``memory`` or ``disk``.
        folder: for disk; empty means ``~/.cache/npt_plugin/images``.

    Raises:
        UserError: unknown mode.
    """

    def __init__(self, mode: str, folder: str = "") -> None:
        if mode not in CACHES:
            raise UserError(f"INPUT.IMAGE_CACHE is '{mode}'; use memory, disk, or leave it empty.")
        self.mode = mode
        self.folder = Path(folder or "~/.cache/npt_plugin/images").expanduser()
        self.kept: dict[str, Image.Image] = {}

    def __call__(self, path: str) -> Image.Image:
        """The RGB image of a file."""
        if self.mode == "memory":
            if path not in self.kept:
                self.kept[path] = read_image(path)
            return self.kept[path]
        return self._from_disk(path) if self.mode == "disk" else read_image(path)

    def fill(self, paths: Iterable[str]) -> None:
        """Decode into memory now, before worker processes copy it."""
        for path in tqdm(list(paths), desc="decoding images", leave=False):
            self(path)

    def _from_disk(self, path: str) -> Image.Image:
        try:
            stat = os.stat(path)
        except OSError:
            return read_image(path)  # says what is wrong
        key = f"{os.path.abspath(path)}|{stat.st_size}|{stat.st_mtime_ns}"
        digest = hashlib.sha256(key.encode()).hexdigest()
        place = self.folder / digest[:2] / f"{digest[2:40]}.npy"
        try:
            return Image.fromarray(np.load(place, allow_pickle=False))
        except (OSError, ValueError, EOFError):
            image = read_image(path)
            pixels = np.asarray(image)  # (H, W, 3) uint8
            write_atomically(place, lambda file: np.save(file, pixels, allow_pickle=False))
            return image
