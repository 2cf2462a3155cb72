"""Put our names into Dassl's registries, once, and never over a host's; and take them out again."""

from __future__ import annotations

from typing import Any

from npt_plugin.datasets.registry import register_base_datasets, register_imbalanced_datasets
from npt_plugin.engine import imports
from npt_plugin.engine.framework import DATASET_REGISTRY, TRAINER_REGISTRY, join, trainers_in_use
from npt_plugin.engine.replaced import undo_all
from npt_plugin.errors import UserError
from npt_plugin.hosts.variants import register_host_trainers
from npt_plugin.trainers import BASE_TRAINERS, NPT_TRAINERS


def register_all(base: bool = False) -> None:
    """Register trainers and datasets; names that are taken stay as they are.

    Args:
        base: Also the published trainers and plain datasets, which a host has itself.
    """
    imports.install()
    join()  # both again, should they have been undone
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


def unregister_all() -> None:
    """Take our names out of the registries and undo what ``engine/replaced.py`` lists.

    Raises:
        UserError: If trainers still exist, which could rely on it.
    """
    living = trainers_in_use()
    if living:
        raise UserError(
            f"npt_plugin.unregister() would take away what trainers in use rely on: delete them "
            f"first ({', '.join(living)})."
        )
    undo_all()
    for registry in (TRAINER_REGISTRY, DATASET_REGISTRY):
        for name in registry.registered_names():
            if _is_ours(registry.get(name)):
                _table(registry).pop(name)


def _is_ours(thing: Any) -> bool:
    return getattr(thing, "__module__", "").startswith("npt_plugin.")


def _table(registry: Any) -> dict[str, Any]:
    """The names in a registry, Dassl's or minidassl's."""
    held = vars(registry)
    return held["_obj_map"] if "_obj_map" in held else held["_objects"]
