"""What a model sees of a test image: its centre, shifted crops, mirrored or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PIL import Image

from npt_plugin.errors import UserError

CENTRE = "centre"
PLACES = ("top left", "top right", "bottom left", "bottom right", CENTRE)
"""The five crops of LIFT (arXiv:2309.10019), in torchvision's order."""


class View:
    """A crop of the resized image, mirrored or not, then the engine's own test transform.

    The engine's transform resizes and crops as well; the crop has the size it makes, so there is
    nothing left for it to resize or cut.

    Args:
        side: Pixels of the shorter side after resizing.
        size: (height, width) of the crop, at most ``side`` each.
        interpolation: ``INPUT.INTERPOLATION``.
        plain: The engine's test transform, from an image to a tensor.
        place: One of ``PLACES``.
        mirrored: Left and right exchanged.
    """

    def __init__(
        self,
        side: int,
        size: tuple[int, int],
        interpolation: str,
        plain: Callable[[Image.Image], Any],
        place: str = CENTRE,
        mirrored: bool = False,
    ) -> None:
        self.side, self.size, self.interpolation = side, size, interpolation
        self.plain, self.place, self.mirrored = plain, place, mirrored

    def __call__(self, image: Image.Image) -> Any:
        """What ``plain`` makes of the crop."""
        from torchvision.transforms import InterpolationMode, functional  # imports for a second

        image = functional.resize(image, self.side, InterpolationMode(self.interpolation))
        if self.place == CENTRE:
            image = functional.center_crop(image, self.size)
        else:
            image = functional.crop(image, *self._corner(image), *self.size)
        return self.plain(functional.hflip(image) if self.mirrored else image)

    def _corner(self, image: Image.Image) -> tuple[int, int]:
        """Top and left of the crop."""
        (height, width), (bottom, right) = self.size, (image.height, image.width)
        top = 0 if "top" in self.place else bottom - height
        return top, 0 if "left" in self.place else right - width

    def __repr__(self) -> str:
        side = " mirrored" if self.mirrored else ""
        at = f"{self.size} {self.place}{side} of {self.side} {self.interpolation}"
        return f"View({at}, {self.plain!r})"


def resized_first(cfg: Any, plain: Any) -> Any:
    """A test transform as ``INPUT.TEST_RESIZE`` wants it.

    Args:
        cfg: The run's config; a host's may lack the key.
        plain: The engine's own: the shorter side becomes ``INPUT.SIZE``, then the centre is cut.

    Raises:
        UserError: If the crop does not fit.
    """
    side = cfg.INPUT.get("TEST_RESIZE", 0)
    if not side or plain is None:
        return plain
    if side < max(cfg.INPUT.SIZE):
        raise UserError(
            f"INPUT.TEST_RESIZE is {side}, less than INPUT.SIZE {tuple(cfg.INPUT.SIZE)}, which is "
            "cut out of it: take a larger one, or 0."
        )
    return View(side, tuple(cfg.INPUT.SIZE), cfg.INPUT.INTERPOLATION, plain)
