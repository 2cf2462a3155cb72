"""CLIP's residual attention block in few passes over memory, and only what is asked of it.

Works on the modules of ``clip.model`` from outside, batch-first. Everything is exact: the same sums
as CLIP's own code, up to the rounding of their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from npt_plugin.backbone.changes import changed, with_beside
from npt_plugin.backbone.frozen_linear import frozen_linear, takes_onednn

ClipModule: TypeAlias = Any
"""``clip.model.CLIP`` or a module of it: the package ``clip`` has no types."""

_SLOPE = 1.702
"""QuickGELU(z) = z sigmoid(1.702 z) (Hendrycks and Gimpel 2016, arXiv:1606.08415)."""


def run_block(block: ClipModule, x: Tensor, causal: bool, keep: int | None = None) -> Tensor:
    """One residual attention block of CLIP on a batch-first sequence.

    Args:
        block: CLIP's ``ResidualAttentionBlock`` (``attn``, ``ln_1``, ``mlp``, ``ln_2``).
        x: (N, L, W).
        causal: Whether a position sees only itself and those before it (text tower).
        keep: Compute the first ``keep`` positions only, which still see all L; None: all. In the
            last layer of an image tower one position, the class token, is all that is needed.

    Returns:
        (N, L, W), or (N, keep, W).
    """
    y = block.ln_1(x)
    if keep is None:
        q, k, v = split_heads(block.attn, y, 0, 3)  # each (N, heads, L, W / heads)
    else:
        x = x[:, :keep]
        (q,) = split_heads(block.attn, y[:, :keep], 0, 1)  # (N, heads, keep, W / heads)
        k, v = split_heads(block.attn, y, 1, 3)
    mixed = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
    return finish_block(block, x, mixed.transpose(1, 2).reshape(x.shape))


def split_heads(attn: nn.MultiheadAttention, y: Tensor, first: int, last: int) -> list[Tensor]:
    """Queries (0), keys (1) and values (2) of normalised tokens, from ``first`` to below ``last``.

    Args:
        attn: Holds the joint input projection.
        y: (..., L, W).
        first: Which comes first.
        last: One more than which comes last.

    Returns:
        Tensors (..., heads, L, W / heads), views of one product.
    """
    width, heads = attn.embed_dim, attn.num_heads
    rows = slice(first * width, last * width)
    joint = frozen_linear(y, attn.in_proj_weight[rows], attn.in_proj_bias[rows])
    parts: Sequence[Tensor] = joint.unflatten(-1, (last - first, width)).unbind(-2)
    changes = getattr(attn, "changes", None)
    if changes is not None:  # of some of q, k and v
        parts = [
            changes[letter](y, part) if letter in changes else part
            for letter, part in zip("qkv"[first:last], parts, strict=True)
        ]
    return [part.unflatten(-1, (heads, width // heads)).transpose(-2, -3) for part in parts]


def finish_block(block: ClipModule, x: Tensor, mixed: Tensor) -> Tensor:
    """What follows attention: output projection, residual, MLP, residual.

    Args:
        block: The block.
        x: (..., W) residual stream.
        mixed: (..., W) attended values, heads side by side.

    Returns:
        (..., W).
    """
    out = block.attn.out_proj
    attended = changed(out, mixed, frozen_linear(mixed, out.weight, out.bias))
    x = x + with_beside(block.attn, x, attended)
    return x + with_beside(block.mlp, x, quick_mlp(block.mlp, block.ln_2(x)))


def quick_mlp(mlp: ClipModule, x: Tensor) -> Tensor:
    """CLIP's MLP with one pass for its activation and one tensor kept for backward.

    QuickGELU(z) = silu(1.702 z) / 1.702. Both factors ride on the matrix products around it, and
    ``silu`` keeps its input only, where ``z * sigmoid(1.702 * z)`` makes three large temporaries.

    Args:
        mlp: ``c_fc``, ``gelu``, ``c_proj``.
        x: (..., W).

    Returns:
        (..., W).
    """
    if type(mlp.gelu).__name__ != "QuickGELU":
        return mlp(x)  # changes of its maps come with the calls
    up, down = mlp.c_fc, mlp.c_proj
    rows = x.reshape(-1, x.shape[-1])
    if takes_onednn(rows, up.weight, up.bias):  # has no factors: they go to the narrow sides
        hidden = frozen_linear(rows * _SLOPE, up.weight, up.bias * _SLOPE)  # (rows, 4W)
        hidden = changed(up, rows, hidden, out_scale=_SLOPE)
        hidden = F.silu(hidden, inplace=not hidden.requires_grad)
        out = frozen_linear(hidden, down.weight, down.bias * _SLOPE) / _SLOPE
    else:
        hidden = torch.addmm(up.bias, rows, up.weight.t(), beta=_SLOPE, alpha=_SLOPE)  # (rows, 4W)
        hidden = changed(up, rows, hidden, out_scale=_SLOPE)
        hidden = F.silu(hidden, inplace=not hidden.requires_grad)
        out = torch.addmm(down.bias, hidden, down.weight.t(), alpha=1 / _SLOPE)
    return changed(down, hidden, out, x_scale=_SLOPE).view(x.shape)
