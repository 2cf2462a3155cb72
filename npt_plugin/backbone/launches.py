"""Where starting kernels takes longer than running them: small passes on a GPU.

On an NVIDIA H200 a CoOp step of ViT-B/16 takes the public code 24 ms with 19 classes and with 100
(benchmarks/results/gpu.md): what counts is how many kernels there are, not how large. Computing the
common start of prompts once and passing them by length saves arithmetic and doubles the kernels, so
below a size prompts go through whole, in one pass. Both are exact: they differ by rounding alone.
"""

from __future__ import annotations

import torch

LEAST_TOKENS = 16_384
"""Positions of all prompts together from which arithmetic counts (our reading: 1000 prompts of 16.
Forward and backward of ViT-B/16's text tower are 2.5 TFLOP then: 25 ms at 100 TFLOP/s, where
starting the kernels took 16 to 20 ms)."""


def bound_by_launches(device: torch.device, tokens: int) -> bool:
    """Whether a pass of so many positions is better done in fewer kernels than with less work.

    Decided by the kind of device and by sizes, never by timing.
    """
    return device.type != "cpu" and tokens < LEAST_TOKENS
