"""Numeric precision of the towers: ``PREC`` of the trainers' config nodes."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from npt_plugin.errors import UserError, nearest_hint
from npt_plugin.system.processor import has_bf16_units

CHOICES = ("fp32", "fp16", "amp", "bf16", "auto")


@dataclass(frozen=True)
class Precision:
    """How a run computes.

    Attributes:
        name: fp32, fp16, amp or bf16 (never auto).
        tower_dtype: Dtype the frozen towers are stored and run in.
        autocast: Whether steps run under ``torch.autocast`` (fp16) with a gradient scaler.
    """

    name: str
    tower_dtype: torch.dtype
    autocast: bool = False

    def context(self, device: torch.device) -> AbstractContextManager:
        """What a forward pass runs in."""
        if not self.autocast:
            return nullcontext()
        return torch.autocast(device.type, dtype=torch.float16)


_TABLE = {
    "fp32": Precision("fp32", torch.float32),
    "fp16": Precision("fp16", torch.float16),
    "bf16": Precision("bf16", torch.bfloat16),
    "amp": Precision("amp", torch.float32, autocast=True),
}


def check_precision(value: str) -> None:
    """Refuse an unknown ``PREC``.

    Raises:
        UserError: If ``value`` is not one of ``CHOICES``.
    """
    if value not in CHOICES:
        raise UserError(
            f"PREC is {value!r}{nearest_hint(value, CHOICES)}; allowed are {', '.join(CHOICES)}."
        )


def resolve_precision(value: str, device: torch.device) -> Precision:
    """Turn ``PREC`` into what runs on ``device``.

    ``auto`` is fp16 on CUDA (what the published configs use) and fp32 elsewhere. A CPU has no fast
    half-precision kernels, so fp16 and amp run as fp32 there; a line on the log says so, and that
    bf16 is slow where the processor has no units for it.
    """
    check_precision(value)
    if value == "auto":
        value = "fp16" if device.type == "cuda" else "fp32"
    if value in ("fp16", "amp") and device.type != "cuda":
        print(f"PREC {value} runs as fp32 on {device.type}")
        value = "fp32"
    if value == "bf16" and device.type == "cpu" and has_bf16_units() is False:
        print(
            "PREC bf16 is slower than fp32 on this processor, which has no bfloat16 units (a "
            "seventh of fp32's rate on an AMD without AVX-512): use PREC fp32"
        )
    return _TABLE[value]
