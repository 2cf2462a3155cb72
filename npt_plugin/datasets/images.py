"""Reading images; an unreadable one is named in one sentence, also from a worker process."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from PIL import Image

from npt_plugin.datasets.rgb import to_rgb
from npt_plugin.errors import UserError
from npt_plugin.system.progress import progress


class BadImageError(UserError):
    """An image that cannot be read.

    PyTorch re-raises a worker's exception with the worker's whole traceback as its message; here
    only the sentence is kept.

    Args:
        message: The sentence, or PyTorch's wrapping of it.
    """

    def __init__(self, message: str) -> None:
        marker = "BadImageError: "
        if message.startswith("Caught ") and marker in message:
            message = message.rsplit(marker, 1)[1].strip()
        super().__init__(message)


READ_ERRORS = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
"""What Pillow raises for a file that is no whole image, and :func:`to_rgb` for a strange mode."""


def reason_of(error: Exception, path: str) -> str:
    """Why an image cannot be read, in a few words without its path."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return reason.replace(f" {path!r}", "")


def read_image(path: str) -> Image.Image:
    """Decode a file to 8-bit RGB (see :func:`~npt_plugin.datasets.rgb.to_rgb`).

    Args:
        path: Image file.

    Raises:
        BadImageError: Absent, cut short, no image, or of values without a fixed range; names the
            path.
    """
    try:
        with Image.open(path) as image:
            return to_rgb(image)
    except READ_ERRORS as error:
        raise BadImageError(
            f"The image '{path}' cannot be read ({reason_of(error, path)}); replace the file, or "
            "take it out of the split (`npt data verify` finds all such files)."
        ) from None


class ImageCache:
    """Reads images, and keeps them decoded if asked to.

    Args:
        mode: ``memory`` keeps every image; ``""`` keeps none.

    Raises:
        UserError: Unknown mode.
    """

    def __init__(self, mode: str) -> None:
        if mode not in ("", "memory"):
            raise UserError(f"INPUT.IMAGE_CACHE is '{mode}'; use memory, or leave it empty.")
        self.keeps = mode == "memory"
        self.kept: dict[str, Image.Image] = {}
        self.room: float = math.inf  # bytes for further images

    def __call__(self, path: str) -> Image.Image:
        """The RGB image of a file."""
        if not self.keeps:
            return read_image(path)
        found = self.kept.get(path)
        if found is None:
            found = read_image(path)
            size = found.width * found.height * 3
            if size <= self.room:
                self.kept[path] = found
                self.room -= size
        return found

    @contextmanager
    def within(self, room: int) -> Iterator[None]:
        """Keep what fits into ``room`` bytes for as long as the block lasts, whatever the mode."""
        before = vars(self).copy()
        if not self.keeps:
            self.keeps, self.kept, self.room = True, {}, room
        try:
            yield
        finally:
            vars(self).update(before)

    def fill(self, paths: Iterable[str]) -> None:
        """Decode into memory now, before worker processes copy it."""
        for path in progress(list(paths), desc="decoding images", leave=False):
            self(path)
