"""One residual attention block, whatever its family calls its parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch.nn.functional as F
from torch import Tensor, nn

from npt_plugin.backbone.changes import changed

FamilyModule: TypeAlias = Any
"""A module of a family: its parts are what that library says, which has no types."""


@dataclass(frozen=True, slots=True)
class LinearMap:
    """A linear map, or some rows of a joint one: ``x @ weight.T + bias``.

    Attributes:
        owner: The module that holds the parameters.
        weight_name: Name of the weight (m, n) in it.
        bias_name: Name of the bias (m,), which may be None.
        rows: Which rows belong to this map; None: all.
    """

    owner: nn.Module
    weight_name: str = "weight"
    bias_name: str = "bias"
    rows: slice | None = None

    @property
    def weight(self) -> Tensor:
        """(m, n), a view of the parameter."""
        whole = getattr(self.owner, self.weight_name)
        return whole if self.rows is None else whole[self.rows]

    @property
    def bias(self) -> Tensor | None:
        """(m,), a view of the parameter, or None."""
        whole = getattr(self.owner, self.bias_name)
        return whole if self.rows is None or whole is None else whole[self.rows]

    def part(self, rows: slice) -> LinearMap:
        """Some rows of this map."""
        return LinearMap(self.owner, self.weight_name, self.bias_name, rows)


@dataclass(frozen=True, slots=True)
class Block:
    """Names for the parts of x + s1 attention(norm1(x)), then x + s2 down(act(up(norm2(x)))).

    Parts are looked up anew whenever a tower runs, so they are always the modules that are there.

    Attributes:
        module: The whole block, as the family has it.
        width: W of the residual stream.
        heads: Of its attention.
        norm1, norm2: LayerNorms before attention and before the MLP.
        qkv: Joint map to queries, keys and values, rows in that order (3 W, W).
        out: Map of the attended values.
        up, act, down: The MLP.
        scale1, scale2: Learned scales (W) of both branches, modules; None: 1.
    """

    module: nn.Module
    width: int
    heads: int
    norm1: nn.Module
    qkv: LinearMap
    out: LinearMap
    norm2: nn.Module
    up: LinearMap
    act: nn.Module
    down: LinearMap
    scale1: nn.Module | None = None
    scale2: nn.Module | None = None

    def joint(self, first: int, last: int) -> LinearMap:
        """Queries (0), keys (1) and values (2) from ``first`` to below ``last``."""
        return self.qkv.part(slice(first * self.width, last * self.width))

    def maps(self) -> dict[str, LinearMap]:
        """The linear maps by name: q, k, v, out, fc1, fc2."""
        q, k, v = (self.joint(i, i + 1) for i in range(3))
        return {"q": q, "k": k, "v": v, "out": self.out, "fc1": self.up, "fc2": self.down}


def joint_names(owner: nn.Module) -> tuple[str, str]:
    """Names of weight and bias of the joint map to queries, keys and values in its owner."""
    if isinstance(owner, nn.Linear):
        return "weight", "bias"
    return "in_proj_weight", "in_proj_bias"  # nn.MultiheadAttention


def clip_blocks(modules: Iterable[FamilyModule]) -> list[Block]:
    """Blocks with OpenAI's names, which open_clip has too."""
    return [_clip_block(module) for module in modules]


def _clip_block(module: FamilyModule) -> Block:
    attn, mlp = module.attn, module.mlp
    return Block(
        module,
        attn.embed_dim,
        attn.num_heads,
        module.ln_1,
        LinearMap(attn, *joint_names(attn)),
        LinearMap(attn.out_proj),
        module.ln_2,
        LinearMap(mlp.c_fc),
        mlp.gelu,
        LinearMap(mlp.c_proj),
        _scale(module, "ls_1"),
        _scale(module, "ls_2"),
    )


def timm_blocks(modules: Iterable[FamilyModule]) -> list[Block]:
    """Blocks of timm's ``VisionTransformer``; only where there is no ``block_obstacle``."""
    return [_timm_block(module) for module in modules]


def _timm_block(module: FamilyModule) -> Block:
    attn, mlp = module.attn, module.mlp
    return Block(
        module,
        attn.qkv.in_features,
        attn.num_heads,
        module.norm1,
        LinearMap(attn.qkv),
        LinearMap(attn.proj),
        module.norm2,
        LinearMap(mlp.fc1),
        mlp.act,
        LinearMap(mlp.fc2),
        _scale(module, "ls1"),
        _scale(module, "ls2"),
    )


def block_obstacle(modules: Iterable[FamilyModule]) -> str:
    """Why these blocks cannot be run part by part, as the end of a sentence; empty: they can."""
    for module in modules:
        kind = type(module).__name__
        if kind not in ("ResidualAttentionBlock", "Block"):
            return f"its blocks are of the kind {kind}, which computes more than attention and MLP"
        attn, mlp = module.attn, module.mlp
        further = [getattr(attn, name, None) for name in ("q_norm", "k_norm", "norm", "gate")]
        further.append(getattr(mlp, "norm", None))
        if any(part is not None and not isinstance(part, nn.Identity) for part in further):
            return "its attention or MLP has norms or gates inside"
    return ""


def _scale(module: nn.Module, name: str) -> nn.Module | None:
    found = getattr(module, name, None)
    return None if isinstance(found, nn.Identity) else found


def normed(norm: nn.Module, x: Tensor) -> Tensor:
    """LayerNorm in the precision of its own weights, which is fp32 where the towers are halves.

    Args:
        norm: An ``nn.LayerNorm``, or a module that stands in its place and runs as it is.
        x: (..., W).
    """
    if not isinstance(norm, nn.LayerNorm):
        return norm(x)
    exact = x.to(norm.weight.dtype)
    out = F.layer_norm(exact, norm.normalized_shape, norm.weight, norm.bias, norm.eps).to(x.dtype)
    return changed(norm, x, out)
