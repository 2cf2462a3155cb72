"""Checks of config values; each failure is one sentence that names key, value and choices."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from npt_plugin.errors import UserError


def one_of(key: str, value: str, allowed: Iterable[str]) -> str:
    """The value if it is an allowed one.

    Args:
        key: Full name of the config key.
        value: What it is set to.
        allowed: Its possible values.

    Returns:
        ``value``.

    Raises:
        UserError: If it is none of them.
    """
    allowed = list(allowed)
    if value not in allowed:
        raise UserError(f"{key} is {value!r}; choose one of {', '.join(allowed)}.")
    return value


def in_range(key: str, value: float, low: float, high: float = float("inf")) -> float:
    """The value if low <= value <= high.

    Args:
        key: Full name of the config key.
        value: What it is set to.
        low: Smallest allowed value.
        high: Largest allowed value.

    Returns:
        ``value``.

    Raises:
        UserError: If it lies outside, or is NaN.
    """
    if not low <= value <= high:
        allowed = f"at least {low}" if high == float("inf") else f"between {low} and {high}"
        raise UserError(f"{key} is {value}; it must be {allowed}.")
    return value


def check_counts(class_counts: Tensor) -> Tensor:
    """Training images per class as float64, none of them empty.

    Args:
        class_counts: (K,), any dtype.

    Returns:
        (K,), float64, same device.

    Raises:
        ValueError: If the shape is not (K,), or a class has no image (names the class).
    """
    if class_counts.ndim != 1 or len(class_counts) == 0:
        raise ValueError(f"class_counts must be (K,), got shape {tuple(class_counts.shape)}")
    counts = class_counts.double().cpu()
    empty = [str(k) for k, n in enumerate(counts.tolist()) if n < 1]
    if empty:
        raise ValueError(
            f"class {', '.join(empty)} has no training image; every class needs at least one"
        )
    return counts.to(class_counts.device)
