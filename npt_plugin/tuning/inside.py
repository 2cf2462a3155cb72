"""Methods that put small learned modules into the blocks of a frozen tower."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from npt_plugin.backbone.block import Block, LinearMap
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
        width = block.width
        within = {m: LoRA(width, width, rank, alpha) for m in ("q", "k", "v") if m in maps}
        if within:
            block.qkv.owner.changes = nn.ModuleDict(within)
        for name, linear in _outer_maps(block).items():
            if name in maps:
                m, n = linear.weight.shape
                put_change(linear.owner, LoRA(n, m, rank, alpha))


def put_ssf(places: Places) -> None:
    """A scale and a shift behind every linear map and every LayerNorm.

    In a tower of width W: 22 W a block, and 2 W each outside.
    """
    for block in places.blocks:
        within = {m: ScaleShift(block.width) for m in ("q", "k", "v")}
        block.qkv.owner.changes = nn.ModuleDict(within)
        for linear in _outer_maps(block).values():
            put_change(linear.owner, ScaleShift(len(linear.weight)))
    for norm in places.norms():
        put_change(norm, ScaleShift(norm.normalized_shape[0]))


def put_adapters(places: Places, rank: int) -> None:
    """A serial adapter behind both halves of every block."""
    for block in places.blocks:
        for norm in (block.norm1, block.norm2):
            norm.beside = Adapter(block.width, rank)


def put_adaptformer(places: Places, rank: int, lift: bool, scale: float) -> None:
    """An AdaptFormer beside the MLP of every block."""
    for block in places.blocks:
        block.norm2.beside = AdaptFormer(block.width, rank, lift, scale)


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


def _outer_maps(block: Block) -> dict[str, LinearMap]:
    return {"out": block.out, "up": block.up, "down": block.down}
