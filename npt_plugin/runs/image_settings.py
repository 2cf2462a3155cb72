"""Size and normalisation of images: the library's defaults, then the model's own, then the user's.

Published configs of trainers hold the values of the model they name. They belong to that model:
where something merged later names another one, they give way to its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from npt_plugin.backbone.image_input import image_input
from npt_plugin.backbone.loading import backbone_name
from npt_plugin.errors import UserError

_KEYS = {"SIZE": "size", "PIXEL_MEAN": "mean", "PIXEL_STD": "std"}
"""Keys of ``INPUT`` to the fields of ``ImageInput``."""

_ROUNDING = 1e-3
"""Means and deviations within it count as the model's: people write three digits."""


class ImageSettings:
    """Who has said what of a config's images, while its layers are merged.

    Args:
        cfg: Dassl's config before the first layer; it is merged into elsewhere.
    """

    def __init__(self, cfg: Any) -> None:
        self._cfg = cfg
        self._model = backbone_name(cfg)
        self._asked: dict[str, str] = {}

    def merged(self, keys: Iterable[str], where: str = "") -> None:
        """Take note of a layer that has been merged.

        Args:
            keys: The config keys it sets.
            where: Where they stand, for a message, such as " in my.yaml".
        """
        before, self._model = self._model, backbone_name(self._cfg)
        if before and before != self._model:
            self._asked = {}  # those were of the model before
        names = (key.removeprefix("INPUT.") for key in keys if key.startswith("INPUT."))
        self._asked |= {name: where for name in names if name in _KEYS}

    def follow_model(self) -> None:
        """Set what nobody has asked for to the model's own.

        Raises:
            UserError: If something else than the model's own was asked for.
        """
        own = image_input(self._cfg.MODEL)
        if own is None:
            return
        for name, field in _KEYS.items():
            wanted = getattr(own, field)
            if name not in self._asked:
                kind = type(self._cfg.INPUT[name])
                self._cfg.INPUT[name] = kind(wanted)
            elif not _alike(self._cfg.INPUT[name], wanted):
                raise UserError(
                    f"INPUT.{name} is {tuple(self._cfg.INPUT[name])}{self._asked[name]}, but "
                    f"{self._model} takes {wanted}: leave the key out, then it follows the model."
                )


def _alike(asked: Sequence[float], wanted: Sequence[float]) -> bool:
    near = (abs(a - b) <= _ROUNDING for a, b in zip(asked, wanted, strict=False))
    return len(asked) == len(wanted) and all(near)
