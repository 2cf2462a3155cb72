"""Image transforms by config name."""

from __future__ import annotations

from typing import Any

from minidassl.data.transforms.build import AVAI_CHOICES, build_transform, plain_transform
from minidassl.data.transforms.interpolation import interpolation_mode, interpolation_modes

__all__ = [
    "AVAI_CHOICES",
    "INTERPOLATION_MODES",
    "build_transform",
    "interpolation_mode",
    "plain_transform",
]


def __getattr__(name: str) -> Any:
    # the table needs torchvision, which is slow to import: make it when somebody asks
    if name == "INTERPOLATION_MODES":
        return interpolation_modes()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
