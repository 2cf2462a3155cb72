"""A run's config for data tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from npt_plugin.config import extend_cfg
from npt_plugin.engine.framework import get_cfg_default


def make_cfg(root: Path | str, **dataset: Any) -> Any:
    """Config with ``DATASET.ROOT``; keywords are DATASET keys (``IMBALANCE`` a dict), or seed."""
    cfg = extend_cfg(get_cfg_default())
    cfg.VERBOSE = False
    cfg.SEED = dataset.pop("seed", 1)
    cfg.DATASET.ROOT = str(root)
    for key, value in dataset.pop("imbalance", {}).items():
        cfg.DATASET.IMBALANCE[key] = value
    for key, value in dataset.items():
        assert key in cfg.DATASET, key
        cfg.DATASET[key] = value
    cfg.freeze()
    return cfg
