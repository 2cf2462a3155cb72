"""Interpolation modes by config name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minidassl.errors import ConfigError

if TYPE_CHECKING:
    from torchvision.transforms import InterpolationMode


def interpolation_modes() -> dict[str, InterpolationMode]:
    """Return torchvision's modes by config name.

    Returns:
        bilinear, bicubic and nearest.
    """
    from torchvision.transforms import InterpolationMode

    return {mode.value: mode for mode in InterpolationMode if mode.value in _NAMES}


_NAMES = ("bilinear", "bicubic", "nearest")


def interpolation_mode(name: str) -> InterpolationMode:
    """Look a mode up.

    Args:
        name: Value of ``INPUT.INTERPOLATION``.

    Returns:
        The mode.

    Raises:
        ConfigError: Unknown name.
    """
    if name not in _NAMES:
        raise ConfigError(f"INPUT.INTERPOLATION is {name!r}; allowed are {list(_NAMES)}.")
    return interpolation_modes()[name]
