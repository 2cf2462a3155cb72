"""Look a trainer up by config name."""

from __future__ import annotations

from typing import Any

from yacs.config import CfgNode

from minidassl.utils import Registry, check_availability

TRAINER_REGISTRY = Registry("TRAINER")


def build_trainer(cfg: CfgNode) -> Any:
    """Make the trainer that ``TRAINER.NAME`` names.

    Args:
        cfg: The config tree.

    Returns:
        The trainer, its data and model ready.
    """
    name = cfg.TRAINER.NAME
    check_availability(name, TRAINER_REGISTRY.registered_names())
    if cfg.VERBOSE:
        print(f"Loading trainer: {name}")
    return TRAINER_REGISTRY.get(name)(cfg)
