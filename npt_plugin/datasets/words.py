"""Sizes in words."""

from __future__ import annotations

MB, GB = 1e6, 1e9


def size_in_words(mb: float) -> str:
    """A size in megabytes (10^6 bytes) as people write it, to two or three digits.

    Example:
        >>> size_in_words(94.3), size_in_words(4996), size_in_words(39000)
        ('94 MB', '5.0 GB', '39 GB')
    """
    if mb < 1000:
        return f"{mb:.0f} MB" if mb >= 1 else "under 1 MB"
    return f"{mb / 1000:.1f} GB" if mb < 10_000 else f"{mb / 1000:.0f} GB"
