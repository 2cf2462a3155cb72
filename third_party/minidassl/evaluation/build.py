"""Look an evaluator up by config name."""

from __future__ import annotations

from typing import Any

from yacs.config import CfgNode

from minidassl.utils import Registry, check_availability

EVALUATOR_REGISTRY = Registry("EVALUATOR")


def build_evaluator(cfg: CfgNode, **kwargs: Any) -> Any:
    """Make the evaluator that ``TEST.EVALUATOR`` names.

    Args:
        cfg: The config tree.
        **kwargs: Handed to its constructor, usually ``lab2cname``.

    Returns:
        The evaluator.
    """
    name = cfg.TEST.EVALUATOR
    check_availability(name, EVALUATOR_REGISTRY.registered_names())
    if cfg.VERBOSE:
        print(f"Loading evaluator: {name}")
    return EVALUATOR_REGISTRY.get(name)(cfg, **kwargs)
