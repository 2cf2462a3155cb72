"""Registering datasets: in our own runs all of them, in a host project only ``Imbalanced*``."""

from __future__ import annotations

from functools import partial
from typing import Any

from npt_plugin.datasets.imbalanced_variants import imbalanced_variant
from npt_plugin.datasets.loading import install
from npt_plugin.datasets.names import PREFIX, READERS, reader
from npt_plugin.engine.framework import DATASET_REGISTRY
from npt_plugin.engine.joining import follow


def register_base_datasets(registry: Any = DATASET_REGISTRY) -> None:
    """Register all our readers under their own names, for our own entry points.

    A name that is taken is left alone. May be called repeatedly.
    """
    for name in READERS:
        if name not in registry.registered_names():
            registry.register(reader(name))


def register_imbalanced_datasets(registry: Any = DATASET_REGISTRY) -> None:
    """Register ``Imbalanced<Name>`` for every dataset, those registered later included.

    Names the registry does not hold get a variant of our reader; if a host registers the plain
    name later, its class takes the variant over. May be called repeatedly.
    """
    for name in READERS:
        if name not in registry.registered_names():
            _register_variant(registry, reader(name))
    register_imbalanced_variants(registry)
    follow(registry, partial(_new_dataset, registry))
    install()  # samplers, caches and workers, with any trainer


def register_imbalanced_variants(registry: Any = DATASET_REGISTRY) -> None:
    """Register the variant of every dataset that is registered now and lacks it."""
    for name in registry.registered_names():
        if not name.startswith(PREFIX):
            _register_variant(registry, registry.get(name))


def _register_variant(registry: Any, dataset_class: type) -> None:
    if not isinstance(dataset_class, type):  # a factory function cannot be wrapped by name
        return
    name = f"{PREFIX}{dataset_class.__name__}"
    if name in registry.registered_names():
        held = registry.get(name)
        if dataset_class in held.__mro__ or getattr(held, "host_class", None) is dataset_class:
            return
        if held.__module__ != "npt_plugin.datasets.imbalanced_variants":  # somebody's own, leave it
            return
    registry.register(imbalanced_variant(dataset_class), force=True)


def _new_dataset(registry: Any, dataset_class: Any) -> None:
    if isinstance(dataset_class, type) and not dataset_class.__name__.startswith(PREFIX):
        _register_variant(registry, dataset_class)
