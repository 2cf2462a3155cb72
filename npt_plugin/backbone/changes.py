"""Where something learned may act inside a frozen block, and how the blocks ask for it.

What acts is a submodule of what it acts on, so that it moves, trains and is saved with it:
``change`` of a linear map or a LayerNorm, ``changes`` (by letter) of the joint projection to
queries, keys and values, ``beside`` of the LayerNorm that a half of a block begins with
(``Block.norm1``, ``Block.norm2``). Without any of them a block computes what it always does. A
module that is called applies its change by itself (a hook); where a fast path reads weights
instead, it asks :func:`changed`. The methods are in ``npt_plugin/tuning``.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


class Change(nn.Module):
    """Acts on what a linear map or a LayerNorm gives; a fresh one gives it back, bit for bit."""

    def forward(
        self, x: Tensor, out: Tensor, x_scale: float = 1.0, out_scale: float = 1.0
    ) -> Tensor:
        """The changed output, times ``out_scale``.

        Args:
            x: (..., n) what the map got, times ``x_scale``.
            out: (..., m) what it gave, times ``out_scale``.
            x_scale: A factor that the caller has folded into ``x``.
            out_scale: A factor that the caller has folded into ``out``.
        """
        raise NotImplementedError

    def merged(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Weight (m, n) and bias (m,) of a map that gives by itself what is given here.

        Args:
            weight: Of the map, (m, n); of a LayerNorm (m,).
            bias: (m,).
        """
        raise NotImplementedError


def part_of(owner: nn.Module, name: str) -> Any:
    """A submodule, or None; a block asks for seven, and a module's ``getattr`` says no slowly."""
    return owner._modules.get(name)


def put_change(owner: nn.Module, change: Change) -> None:
    """Put a change on a map or a LayerNorm; an earlier one is replaced."""
    if not hasattr(owner, "change"):
        owner.register_forward_hook(_apply)
    owner.add_module("change", change)


def _apply(owner: nn.Module, inputs: tuple[Tensor, ...], out: Tensor) -> Tensor:
    return changed(owner, inputs[0], out)


def changed(
    owner: nn.Module, x: Tensor, out: Tensor, x_scale: float = 1.0, out_scale: float = 1.0
) -> Tensor:
    """What a map gives, with its change if it has one; see :class:`Change`."""
    change = part_of(owner, "change")
    return out if change is None else change(x, out, x_scale, out_scale)


def with_beside(norm: nn.Module, x: Tensor, out: Tensor) -> Tensor:
    """What one half of a block adds to the residual stream, with what was put beside it.

    Args:
        norm: ``Block.norm1`` or ``Block.norm2``.
        x: (..., W) the residual stream as the half found it.
        out: (..., W) what the half adds.
    """
    beside = part_of(norm, "beside")
    return out if beside is None else beside(x, out)
