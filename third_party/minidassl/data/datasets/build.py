"""Look a dataset up by config name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yacs.config import CfgNode

from minidassl.utils import Registry, check_availability

if TYPE_CHECKING:
    from minidassl.data.datasets.base_dataset import DatasetBase

DATASET_REGISTRY = Registry("DATASET")


def build_dataset(cfg: CfgNode) -> DatasetBase:
    """Make the dataset that ``DATASET.NAME`` names.

    Args:
        cfg: The config tree.

    Returns:
        The dataset, its splits read.
    """
    name = cfg.DATASET.NAME
    check_availability(name, DATASET_REGISTRY.registered_names())
    if cfg.VERBOSE:
        print(f"Loading dataset: {name}")
    return DATASET_REGISTRY.get(name)(cfg)
