"""Every config key the plugin adds or gives a meaning to, one row each.

Defaults, ``npt list keys``, ``docs/keys.md``, the comparison of a run's settings with those of a
finished one, and the check that a wrapped host ignores nothing: all are derived from ``KEYS``.

``extend_cfg`` only adds what is missing, so it may run before or after a host's own ``extend_cfg``,
and as often as one likes. Keys of CoOp, CoCoOp, MaPLe, VPT and IVLP keep the names, types and
defaults of their public repositories; existing yaml files load unchanged.
"""

from __future__ import annotations

from yacs.config import CfgNode as CN

from npt_plugin.config.dassl import DASSL_KEYS
from npt_plugin.config.data import DATASET, LOADER
from npt_plugin.config.fine_tune import FINE_TUNE
from npt_plugin.config.heads import HEADS
from npt_plugin.config.key import Key
from npt_plugin.config.losses import IMBALANCE_LOSS
from npt_plugin.config.npt import NPT
from npt_plugin.config.prompt_trainers import PROMPT_TRAINERS
from npt_plugin.config.testing import TESTING
from npt_plugin.config.training import OPTIM, SPEED, STEP

__all__ = ["DASSL_KEYS", "KEYS", "Key", "defaults", "extend_cfg"]

KEYS = (
    *(*PROMPT_TRAINERS, *HEADS, *FINE_TUNE, *NPT, *IMBALANCE_LOSS),
    *(*DATASET, *OPTIM, *SPEED, *STEP, *TESTING, *LOADER),
)
"""The keys we add."""


def defaults() -> CN:
    """A fresh tree of all keys the plugin adds, with their defaults."""
    root = CN()
    for key in KEYS:
        *nodes, last = key.name.split(".")
        place = root
        for node in nodes:
            place = place.setdefault(node, CN())
        place[last] = key.default
    return root


def extend_cfg(cfg: CN) -> CN:
    """Add the plugin's keys to a Dassl config, leaving every existing value alone.

    Args:
        cfg: Dassl's config (``get_cfg_default()``), not frozen, changed in place.

    Returns:
        The same object, for chaining.
    """
    _add_missing(cfg, defaults())
    return cfg


def _add_missing(target: CN, source: CN) -> None:
    for key, value in source.items():
        if key not in target:
            target[key] = value
        elif isinstance(value, CN) and isinstance(target[key], CN):
            _add_missing(target[key], value)
