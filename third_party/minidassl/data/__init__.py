"""Datasets, samplers, transforms and loaders."""

from minidassl.data.data_manager import DataManager, DatasetWrapper
from minidassl.data.extension import LoadingExtension, extend_loading

__all__ = ["DataManager", "DatasetWrapper", "LoadingExtension", "extend_loading"]
