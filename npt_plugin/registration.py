"""Put our names into Dassl's registries, once, and never over a host's."""

from __future__ import annotations

from npt_plugin.datasets.registry import register_base_datasets, register_imbalanced_datasets
from npt_plugin.engine.framework import TRAINER_REGISTRY
from npt_plugin.hosts.variants import register_host_trainers
from npt_plugin.trainers import BASE_TRAINERS, NPT_TRAINERS


def register_all(base: bool = False) -> None:
    """Register trainers and datasets; names that are taken stay as they are.

    Args:
        base: Also the published trainers and plain datasets, which a host has itself.
    """
    wanted = {**(BASE_TRAINERS if base else {}), **NPT_TRAINERS}
    for name, trainer in wanted.items():
        register_trainer(name, trainer)
        if name.startswith("NPT_"):
            register_trainer(name.replace("_", "-"), trainer)
    if base:
        register_base_datasets()
    register_imbalanced_datasets()
    register_host_trainers()


def register_trainer(name: str, trainer: type) -> None:
    """Register ``trainer`` under ``name`` unless the name is taken."""
    if name not in TRAINER_REGISTRY.registered_names():
        alias = trainer if trainer.__name__ == name else type(name, (trainer,), {})
        TRAINER_REGISTRY.register(alias)
