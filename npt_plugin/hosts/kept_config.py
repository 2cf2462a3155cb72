"""A host's config that keeps our keys, and a host that sees its own name in it.

Hosts clear parts of Dassl's defaults before they merge their files (``clean_cfg``, or lines of
their own). The tree that a host's script starts from therefore puts our keys back whenever it is
merged into, frozen or given to a trainer, with the values they last had.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from yacs.config import CfgNode

import npt_plugin
from npt_plugin.config import KEYS, extend_cfg
from npt_plugin.errors import UserError

_MEMORY = "__npt_values__"


class KeptConfig(CfgNode):
    """The root of a config tree; our keys come back with the values they had."""

    @classmethod
    def _decode_cfg_value(cls, value: Any) -> Any:
        """Make plain nodes below the root: yacs merges none of another class."""
        return CfgNode._decode_cfg_value(value)

    def merge_from_list(self, cfg_list: list) -> None:
        """Merge ``[KEY, value, ...]``."""
        put_back(self)
        super().merge_from_list(cfg_list)
        remember(self)

    def merge_from_other_cfg(self, cfg_other: CfgNode) -> None:
        """Merge another tree."""
        put_back(self)
        super().merge_from_other_cfg(cfg_other)
        remember(self)

    def freeze(self) -> None:
        """Make the tree immutable."""
        put_back(self)
        super().freeze()


def extend_and_keep(cfg: CfgNode) -> None:
    """Add our keys to a fresh tree, register our names, and keep both through what follows."""
    npt_plugin.extend_cfg(cfg)
    if type(cfg) is CfgNode:
        object.__setattr__(cfg, "__class__", KeptConfig)  # yacs takes attributes for keys
        remember(cfg)


def put_back(cfg: CfgNode) -> None:
    """Restore what was cleared of our keys in a tree that remembers them; else change nothing."""
    memory = vars(cfg).get(_MEMORY)
    if memory is None or cfg.is_frozen():
        return
    lost = [key.name for key in KEYS if value_of(cfg, key.name) is None]
    extend_cfg(cfg)
    for name in lost:
        node, _, last = name.rpartition(".")
        if name in memory and value_of(cfg, name) is not None:
            attrgetter(node)(cfg)[last] = memory[name]


def remember(cfg: CfgNode) -> None:
    """Note the values that our keys have now."""
    values = {key.name: value_of(cfg, key.name) for key in KEYS}
    vars(cfg)[_MEMORY] = {name: value for name, value in values.items() if value is not None}


def value_of(cfg: Any, name: str) -> Any:
    """The value of a key, None where it or a node above it is not there."""
    place = cfg
    for part in name.split("."):
        if not isinstance(place, CfgNode) or part not in place:
            return None
        place = place[part]
    return place


def config_for_host(cfg: CfgNode, name: str) -> CfgNode:
    """A copy for a host's trainer ``name``, which finds its own name in ``TRAINER.NAME``.

    Args:
        cfg: The config that asks for ``NPT_<name>``; stays as it is.
        name: What the host calls its trainer.

    Raises:
        UserError: If ``TRAINER.NPT`` was cleared and nothing remembers it.
    """
    own = cfg.clone()
    own.defrost()
    put_back(own)
    if value_of(own, "TRAINER.NPT.VERSION") is None:
        raise UserError(
            "This project's config lost the section TRAINER.NPT: call npt_plugin.extend_cfg(cfg) "
            "after whatever clears TRAINER, or run its script by python -m npt_plugin."
        )
    own.TRAINER.NAME = name
    if cfg.is_frozen():
        own.freeze()
    return own
