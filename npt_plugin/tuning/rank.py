"""How wide a bottleneck is where the config leaves it open."""

from __future__ import annotations


def automatic_rank(classes: int, layers: int) -> int:
    """The largest power of 2 that is at most K / 2L; at least 1.

    So the modules of all layers together have about as many numbers as a head of K rows.

    Source: LIFT, arXiv:2309.10019, and its released code.

    Args:
        classes: K.
        layers: L.
    """
    return 1 << max(0, (classes // (2 * layers)).bit_length() - 1)
