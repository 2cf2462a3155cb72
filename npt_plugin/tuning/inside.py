"""Methods that put small learned modules into the blocks of a frozen tower."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn

from npt_plugin.backbone.changes import put_change
from npt_plugin.errors import UserError, nearest_hint
from npt_plugin.tuning.bottleneck import Adapter, AdaptFormer
from npt_plugin.tuning.lora import LoRA
from npt_plugin.tuning.places import Places
from npt_plugin.tuning.ssf import ScaleShift

MAPS = ("q", "k", "v", "out", "up", "down")
"""The linear maps of a block, in its order."""


def put_lora(places: Places, rank: int, alpha: float, maps: Iterable[str]) -> None:
    """LoRA beside some of the linear maps of every block.

    Args:
        places: The tower.
        rank: r.
        alpha: The factor of what is added, times r.
        maps: Of ``MAPS``.
    """
    for block in places.blocks:
        attn, mlp = _halves(block)
        width = attn.embed_dim
        within = {m: LoRA(width, width, rank, alpha) for m in ("q", "k", "v") if m in maps}
        if within:
            attn.changes = nn.ModuleDict(within)
        for name, linear in (("out", attn.out_proj), ("up", mlp.c_fc), ("down", mlp.c_proj)):
            if name in maps:
                n, m = linear.in_features, linear.out_features
                put_change(linear, LoRA(n, m, rank, alpha))


def put_ssf(places: Places) -> None:
    """A scale and a shift behind every linear map and every LayerNorm.

    In a tower of width W: 22 W a block, and 2 W each outside.
    """
    for block in places.blocks:
        attn, mlp = _halves(block)
        attn.changes = nn.ModuleDict({m: ScaleShift(attn.embed_dim) for m in ("q", "k", "v")})
        for linear in (attn.out_proj, mlp.c_fc, mlp.c_proj):
            put_change(linear, ScaleShift(linear.out_features))
    for norm in places.norms():
        put_change(norm, ScaleShift(norm.normalized_shape[0]))


def put_adapters(places: Places, rank: int) -> None:
    """A serial adapter behind both halves of every block."""
    for block in places.blocks:
        for half in _halves(block):
            half.beside = Adapter(_halves(block)[0].embed_dim, rank)


def put_adaptformer(places: Places, rank: int, lift: bool, scale: float) -> None:
    """An AdaptFormer beside the MLP of every block."""
    for block in places.blocks:
        attn, mlp = _halves(block)
        mlp.beside = AdaptFormer(attn.embed_dim, rank, lift, scale)


def chosen_maps(value: str) -> tuple[str, ...]:
    """The maps that ``TRAINER.FINE_TUNE.LORA_MAPS`` names, in the order of ``MAPS``.

    Raises:
        UserError: If one of them does not exist, or there is none.
    """
    names = [name.strip() for name in value.split(",") if name.strip()]
    for name in names or [value]:
        if name not in MAPS:
            raise UserError(
                f"TRAINER.FINE_TUNE.LORA_MAPS is {value!r}: {name!r} is not a map"
                f"{nearest_hint(name, MAPS)}; name some of {', '.join(MAPS)}, with commas."
            )
    return tuple(name for name in MAPS if name in names)


def _halves(block: Any) -> tuple[Any, Any]:
    return block.attn, block.mlp
