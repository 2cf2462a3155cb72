"""Samples, datasets and the table datasets register in."""

from minidassl.data.datasets.base_dataset import DatasetBase, Datum
from minidassl.data.datasets.build import DATASET_REGISTRY, build_dataset

__all__ = ["DATASET_REGISTRY", "DatasetBase", "Datum", "build_dataset"]
