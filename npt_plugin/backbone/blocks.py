"""A residual attention block in few passes over memory, and only what is asked of it.

Works on the modules of a family from outside, batch-first. Everything is exact: the same sums as
the family's own code, up to the rounding of their order.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from npt_plugin.backbone.block import Block, normed
from npt_plugin.backbone.changes import changed, part_of, with_beside
from npt_plugin.backbone.frozen_linear import frozen_linear, takes_onednn

_SLOPE = 1.702
"""QuickGELU(z) = z sigmoid(1.702 z) (Hendrycks and Gimpel 2016, arXiv:1606.08415)."""


def run_block(
    block: Block, x: Tensor, causal: bool, keep: int | None = None, mask: Tensor | None = None
) -> Tensor:
    """One residual attention block on a batch-first sequence.

    Args:
        block: Its parts.
        x: (N, L, W).
        causal: Whether a position sees only itself and those before it (text tower).
        keep: Compute the first ``keep`` positions only, which still see all L; None: all. In the
            last layer of an image tower one position, the class token, is all that is needed.
        mask: Which positions a position sees, where it is neither all nor those before it: bool,
            broadcastable to (N, heads, L, L).

    Returns:
        (N, L, W), or (N, keep, W).
    """
    y = normed(block.norm1, x)
    if keep is None:
        q, k, v = split_heads(block, y, 0, 3)  # each (N, heads, L, W / heads)
    else:
        x = x[:, :keep]
        (q,) = split_heads(block, y[:, :keep], 0, 1)  # (N, heads, keep, W / heads)
        k, v = split_heads(block, y, 1, 3)
    mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
    return finish_block(block, x, mixed.transpose(1, 2).reshape(x.shape))


def split_heads(block: Block, y: Tensor, first: int, last: int) -> list[Tensor]:
    """Queries (0), keys (1) and values (2) of normalised tokens, from ``first`` to below ``last``.

    Args:
        block: Holds the joint input projection.
        y: (..., L, W).
        first: Which comes first.
        last: One more than which comes last.

    Returns:
        Tensors (..., heads, L, W / heads), views of one product.
    """
    rows = block.joint(first, last)
    joint = frozen_linear(y, rows.weight, rows.bias)
    parts: Sequence[Tensor] = joint.unflatten(-1, (last - first, block.width)).unbind(-2)
    changes = part_of(block.qkv.owner, "changes")
    if changes is not None:  # of some of q, k and v
        parts = [
            changes[letter](y, part) if letter in changes else part
            for letter, part in zip("qkv"[first:last], parts, strict=True)
        ]
    shape = block.heads, block.width // block.heads
    return [part.unflatten(-1, shape).transpose(-2, -3) for part in parts]


def finish_block(block: Block, x: Tensor, mixed: Tensor) -> Tensor:
    """What follows attention: output projection, residual, MLP, residual.

    Args:
        block: The block.
        x: (..., W) residual stream.
        mixed: (..., W) attended values, heads side by side.

    Returns:
        (..., W).
    """
    out = block.out
    attended = changed(out.owner, mixed, frozen_linear(mixed, out.weight, out.bias))
    attended = attended if block.scale1 is None else block.scale1(attended)
    x = x + with_beside(block.norm1, x, attended)
    hidden = block_mlp(block, normed(block.norm2, x))
    hidden = hidden if block.scale2 is None else block.scale2(hidden)
    return x + with_beside(block.norm2, x, hidden)


def block_mlp(block: Block, x: Tensor) -> Tensor:
    """A block's MLP; QuickGELU with one pass for it and one tensor kept for backward.

    QuickGELU(z) = silu(1.702 z) / 1.702. Both factors ride on the matrix products around it, and
    ``silu`` keeps its input only, where ``z * sigmoid(1.702 * z)`` makes three large temporaries.

    Args:
        block: Its ``up``, ``act`` and ``down`` are used.
        x: (..., W).

    Returns:
        (..., W).
    """
    up, down = block.up, block.down
    rows = x.reshape(-1, x.shape[-1])
    if type(block.act).__name__ != "QuickGELU":
        hidden = changed(up.owner, rows, frozen_linear(rows, up.weight, up.bias))
        hidden = block.act(hidden)
        out = changed(down.owner, hidden, frozen_linear(hidden, down.weight, down.bias))
        return out.view(x.shape)
    up_bias, down_bias = up.bias, down.bias
    assert up_bias is not None and down_bias is not None  # in all models with this activation
    if takes_onednn(rows, up.weight, up_bias):  # has no factors: they go to the narrow sides
        hidden = frozen_linear(rows * _SLOPE, up.weight, up_bias * _SLOPE)  # (rows, 4W)
        hidden = changed(up.owner, rows, hidden, out_scale=_SLOPE)
        hidden = F.silu(hidden, inplace=not hidden.requires_grad)
        out = frozen_linear(hidden, down.weight, down_bias * _SLOPE) / _SLOPE
    else:
        hidden = torch.addmm(up_bias, rows, up.weight.t(), beta=_SLOPE, alpha=_SLOPE)  # (rows, 4W)
        hidden = changed(up.owner, rows, hidden, out_scale=_SLOPE)
        hidden = F.silu(hidden, inplace=not hidden.requires_grad)
        out = torch.addmm(down_bias, hidden, down.weight.t(), alpha=1 / _SLOPE)
    return changed(down.owner, hidden, out, x_scale=_SLOPE).view(x.shape)
