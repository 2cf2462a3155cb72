"""Make config trees from the tables of defaults."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from yacs.config import CfgNode

from minidassl.config.defaults import DEFAULTS
from minidassl.config.trainer_defaults import TRAINER_DEFAULTS

_additions: list[Callable[[CfgNode], Any]] = []


def extend_defaults(addition: Callable[[CfgNode], Any]) -> Callable[[], None]:
    """Let a project put its own keys into every tree of defaults made from now on.

    Args:
        addition: Called with the fresh tree, which it changes.

    Returns:
        Ends that.
    """
    _additions.append(addition)
    return lambda: _additions.remove(addition)


def get_cfg_default() -> CfgNode:
    """Return a fresh, unfrozen config tree holding every default.

    Returns:
        A new tree on each call; changing it changes no other.
    """
    cfg = CfgNode(copy.deepcopy({**DEFAULTS, "TRAINER": TRAINER_DEFAULTS}))
    for add in _additions:
        add(cfg)
    return cfg


def clean_cfg(cfg: CfgNode, trainer: str) -> None:
    """Drop, in place, the settings of all trainers but one, so that a printed config is short.

    Args:
        cfg: The tree to shorten.
        trainer: Name of the trainer to keep; its section is the name in upper case.
    """
    keep = {"NAME", trainer.upper()}
    for section in [key for key in cfg.TRAINER if key not in keep]:
        del cfg.TRAINER[section]
