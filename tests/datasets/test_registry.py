from __future__ import annotations

from pathlib import Path
from typing import Any

from data_cfg import make_cfg
from foreign import host_class
from mini_trees import BUILDERS

from npt_plugin.datasets.imbalanced_variants import ImbalancedOverHost
from npt_plugin.datasets.names import READERS, reader
from npt_plugin.datasets.registry import register_base_datasets, register_imbalanced_datasets
from npt_plugin.engine.framework import DATASET_REGISTRY


class FakeRegistry:
    """The public face of Dassl's registry."""

    def __init__(self) -> None:
        self.held: dict[str, type] = {}

    def register(self, obj: Any = None, force: bool = False) -> Any:
        if obj is None:
            return lambda cls: (self.register(cls, force), cls)[1]
        if obj.__name__ in self.held and not force:
            raise KeyError(obj.__name__)
        self.held[obj.__name__] = obj
        return None

    def get(self, name: str) -> type:
        return self.held[name]

    def registered_names(self) -> list[str]:
        return list(self.held)


def test_a_host_registry_gets_only_prefixed_names_whatever_the_order() -> None:
    registry = FakeRegistry()
    early = host_class("OxfordPets")
    registry.register(early)
    for _ in range(2):  # idempotent
        register_imbalanced_datasets(registry)
    assert [n for n in registry.held if not n.startswith("Imbalanced")] == ["OxfordPets"]
    assert registry.get("ImbalancedOxfordPets").host_class is early
    assert len([n for n in registry.held if n.startswith("Imbalanced")]) == len(READERS)

    late = registry.register()(host_class("DTDx"))  # decorator form, new name
    assert registry.get("ImbalancedDTDx").host_class is late
    assert issubclass(registry.get("ImbalancedEuroSAT"), reader("EuroSAT"))
    theirs = host_class("EuroSAT")
    registry.register(theirs)  # a host's own name arrives after ours: its data win
    assert issubclass(registry.get("ImbalancedEuroSAT"), ImbalancedOverHost)
    assert registry.get("ImbalancedEuroSAT").host_class is theirs
    register_imbalanced_datasets(registry)
    assert registry.get("ImbalancedEuroSAT").host_class is theirs


def test_base_names_leave_a_taken_name_alone() -> None:
    registry = FakeRegistry()
    taken = host_class("SUN397")
    registry.register(taken)
    for _ in range(2):
        register_base_datasets(registry)
    assert registry.get("SUN397") is taken
    assert set(READERS) == set(registry.held)
    assert registry.get("UCF101") is reader("UCF101")


def test_real_registry_builds_from_the_config(tmp_path: Path) -> None:
    register_imbalanced_datasets(DATASET_REGISTRY)
    BUILDERS["EuroSAT"](tmp_path)
    data = DATASET_REGISTRY.get("ImbalancedEuroSAT")(make_cfg(tmp_path, NUM_SHOTS=2))
    assert len(data.train_x) == 10
