"""Products with CLIP's weights, frozen or fine-tuned, by the fastest exact kernel the CPU has.

``F.linear`` in fp32 on a CPU goes through the BLAS PyTorch was built with (MKL), which does not use
the AVX-512 units of every processor: on an AMD EPYC it reaches between half and 0.9 of what oneDNN,
which PyTorch also ships, reaches on the same product. oneDNN's fp32 kernel computes the same sums
in another order. PyTorch calls it from compiled code only; here weights are given to it directly.
Frozen ones want no gradient, so backward is one more such product; of those that learn it is two.
Forward is the same product in both, to the bit. With AVX2 both are equally fast and with less
oneDNN is slower (docs/speed.md), so it is used with AVX-512 alone.

Which kernel a product goes through depends on shapes, on the kind of tensors and on what the
machine has, never on timing: the same run takes the same way each time, an interrupted one too.
``NPT_KERNELS=plain`` in the environment, or ``plain_kernels()``, switches to ``F.linear``; a run
records which it was.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from npt_plugin.errors import UserError
from npt_plugin.system.processor import instruction_set

_LEAST_ROWS = 4
"""Fewer rows are a product of a matrix with single vectors: bound by memory, oneDNN is slower."""

_LEAST_WORK = 2**20
"""Rows x inputs x outputs below which setting up oneDNN costs more than it saves."""

_LEAST_WEIGHT = 2**17
"""Numbers of a weight below which (a tower of width 128) there is little to gain."""

_VARIABLE = "NPT_KERNELS"
_plain = False


def kernels() -> str:
    """What large products with frozen fp32 weights go through here on a CPU.

    Returns:
        ``onednn``, or ``plain`` for ``F.linear``.

    Raises:
        UserError: If the environment variable ``NPT_KERNELS`` is neither ``plain`` nor empty.
    """
    return "onednn" if not chosen_plain() and _pays() else "plain"


def chosen_plain() -> bool:
    """Whether the plain way was asked for, by ``NPT_KERNELS`` or by ``plain_kernels()``."""
    return _plain or not _wanted()


@lru_cache(maxsize=1)
def _wanted() -> bool:
    """Whether the environment leaves the choice to the rule; read once."""
    value = os.environ.get(_VARIABLE, "")
    if value not in ("", "plain"):
        raise UserError(
            f"{_VARIABLE} is {value!r} in the environment; set it to plain for PyTorch's own "
            "kernels, or unset it to use the fastest exact ones."
        )
    return not value


@lru_cache(maxsize=1)
def _pays() -> bool:
    """Whether oneDNN is there and this processor has the units with which it is faster."""
    return instruction_set() == "AVX512" and _has_onednn()


@contextmanager
def plain_kernels() -> Iterator[None]:
    """Use ``F.linear`` everywhere inside the ``with`` block, for comparisons."""
    global _plain
    before, _plain = _plain, True
    try:
        yield
    finally:
        _plain = before


def frozen_linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x @ weight.T + bias``, as ``F.linear``; weights that are frozen get no gradient.

    Args:
        x: (..., n).
        weight: (m, n), also a transposed or sliced view.
        bias: (m,), or None.

    Returns:
        (..., m).
    """
    if not takes_onednn(x, weight, bias):
        return F.linear(x, weight, bias)
    learns = x.requires_grad or weight.requires_grad or (bias is not None and bias.requires_grad)
    if torch.is_grad_enabled() and learns:
        return _Linear.apply(x, weight, bias)
    return _product(x, weight, bias)


def takes_onednn(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> bool:
    """Whether ``frozen_linear`` of these takes oneDNN: fp32, large, CPU with AVX-512."""
    if _compiling():
        return False
    rows = x.numel() // max(1, x.shape[-1])
    return (
        rows >= _LEAST_ROWS
        and weight.numel() >= _LEAST_WEIGHT
        and rows * weight.numel() >= _LEAST_WORK
        and kernels() == "onednn"
        and x.dtype == weight.dtype == torch.float32
        and x.device.type == weight.device.type == "cpu"
        and not _autocasts()
        and ordinary(x, weight)
    )


_ORDINARY = (Tensor, nn.Parameter)


def ordinary(*tensors: Tensor) -> bool:
    """Whether these can leave the plain way, which everything understands.

    Fake tensors and other subclasses cannot, nor what a transform of ``torch.func`` looks through.
    """
    return all(type(x) in _ORDINARY for x in tensors) and not _transformed()


@lru_cache(maxsize=1)
def _has_onednn() -> bool:
    """Whether this PyTorch has the kernel, and it runs."""
    if not torch.backends.mkldnn.is_available():
        return False
    try:
        one = torch.ones(1, 1)
        return torch.ops.mkldnn._linear_pointwise(one, one, None, "none", [], "").item() == 1
    except (AttributeError, RuntimeError):
        return False


_compiling = torch.compiler.is_compiling
"""Whether ``torch.compile`` is looking, which has kernels of its own."""


def _autocasts() -> bool:
    """Whether an autocast region of the CPU chooses the precision."""
    return torch.is_autocast_enabled("cpu")


def _transformed() -> bool:
    """Whether a transform of ``torch.func`` is looking."""
    level = getattr(torch._C._functorch, "maybe_current_level", None)
    return level is not None and level() is not None


def _product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    rows = x.reshape(-1, x.shape[-1])  # (rows, n)
    out = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")  # (rows, m)
    return out.view(*x.shape[:-1], len(weight))


class _Linear(torch.autograd.Function):
    """The product with a gradient for what wants one; that gradient has one itself."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        _, weight_learns, _ = ctx.needs_input_grad
        ctx.save_for_backward(weight, x if weight_learns else None)  # nothing of a frozen one's
        return _product(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        weight, x = ctx.saved_tensors
        for_x, for_weight, for_bias = ctx.needs_input_grad
        rows = gradient.reshape(-1, gradient.shape[-1])  # (rows, m)
        return (
            frozen_linear(gradient, weight.t()) if for_x else None,
            frozen_linear(rows.t(), x.reshape(-1, x.shape[-1]).t()) if for_weight else None,
            rows.sum(dim=0) if for_bias else None,
        )
