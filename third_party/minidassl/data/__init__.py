"""Datasets, samplers, transforms and loaders."""

from minidassl.data.data_manager import DataManager, DatasetWrapper

__all__ = ["DataManager", "DatasetWrapper"]
