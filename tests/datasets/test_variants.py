"""``Imbalanced<Name>`` over our readers, and over datasets a host brings."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from data_cfg import make_cfg
from mini_trees import BUILDERS, PICTURE

from npt_plugin.datasets.imbalanced import ImbalancedOverHost, imbalanced_variant, source_of
from npt_plugin.datasets.names import (
    READERS,
    reader,
    register_base_datasets,
    register_imbalanced_datasets,
)
from npt_plugin.datasets.source import check_source
from npt_plugin.engine.framework import DATASET_REGISTRY, DatasetBase, Datum
from npt_plugin.errors import UserError


def _host_class(name: str = "HostSet", sizes: tuple[int, ...] = (20, 18, 22, 19)) -> type:
    """A dataset class as a host would write it: class list left to Dassl, a pickle it looks for."""

    def init(self: Any, cfg: Any) -> None:
        assert cfg.DATASET.NUM_SHOTS == -1 and cfg.DATASET.SUBSAMPLE_CLASSES == "all"
        assert cfg.DATASET.IMBALANCE.RATIO == 1.0
        root = Path(cfg.DATASET.ROOT)
        parts = []
        for part in ("train", "val", "test"):
            items = []
            for label, size in enumerate(sizes):
                for i in range(size):
                    path = root / part / f"{label}" / f"{i}.jpg"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(PICTURE)
                    items.append(Datum(str(path), label, label % 2, f"class {label}"))
            parts.append(items)
        DatasetBase.__init__(self, train_x=parts[0], val=parts[1], test=parts[2])

    return type(name, (DatasetBase,), {"__init__": init, "dataset_dir": ""})


def test_over_a_host_class(tmp_path: Path) -> None:
    variant = imbalanced_variant(_host_class())
    assert variant.__name__ == "ImbalancedHostSet"
    cfg = make_cfg(tmp_path, NUM_SHOTS=16, SUBSAMPLE_CLASSES="new", imbalance={"RATIO": 0.25})
    data = variant(cfg)
    assert Counter(i.label for i in data.train_x) == {0: 16, 1: 4}
    assert data.classnames == ["class 2", "class 3"] and data.num_classes == 2
    assert {i.domain for i in data.train_x} == {0, 1}  # domains survive
    assert Counter(i.label for i in data.val) == {0: 4, 1: 4}
    assert len(data.test) == 41
    assert cfg.DATASET.NUM_SHOTS == 16  # the run's config is untouched
    balanced = variant(make_cfg(tmp_path, NUM_SHOTS=16, SUBSAMPLE_CLASSES="new"))
    assert {i.impath for i in data.train_x} <= {i.impath for i in balanced.train_x}


def test_over_a_host_class_draws_what_the_host_draws(tmp_path: Path) -> None:
    import random

    plain = _host_class()(make_cfg(tmp_path))
    data = imbalanced_variant(_host_class())(make_cfg(tmp_path, NUM_SHOTS=8, seed=3))
    random.seed(3)
    expected = plain.generate_fewshot_dataset(plain.train_x, num_shots=8)
    assert [i.impath for i in data.train_x] == [i.impath for i in expected]


def test_ours_behave_the_same_under_both_names(tmp_path: Path) -> None:
    BUILDERS["EuroSAT"](tmp_path)
    ours = reader("EuroSAT")
    cfg = make_cfg(tmp_path, NUM_SHOTS=16, imbalance={"RATIO": 0.06})
    one, two = ours(cfg), imbalanced_variant(ours)(cfg)
    assert [i.impath for i in one.train_x] == [i.impath for i in two.train_x]
    assert two.source_name == "EuroSAT"


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
    early = _host_class("OxfordPets")
    registry.register(early)
    for _ in range(2):  # idempotent
        register_imbalanced_datasets(registry)
    assert [n for n in registry.held if not n.startswith("Imbalanced")] == ["OxfordPets"]
    assert registry.get("ImbalancedOxfordPets").host_class is early
    assert len([n for n in registry.held if n.startswith("Imbalanced")]) == len(READERS)

    late = registry.register()(_host_class("DTDx"))  # decorator form, new name
    assert registry.get("ImbalancedDTDx").host_class is late
    assert issubclass(registry.get("ImbalancedEuroSAT"), reader("EuroSAT"))
    theirs = _host_class("EuroSAT")
    registry.register(theirs)  # a host's own name arrives after ours: its data win
    assert issubclass(registry.get("ImbalancedEuroSAT"), ImbalancedOverHost)
    assert registry.get("ImbalancedEuroSAT").host_class is theirs
    register_imbalanced_datasets(registry)
    assert registry.get("ImbalancedEuroSAT").host_class is theirs


def test_base_names_leave_a_taken_name_alone() -> None:
    registry = FakeRegistry()
    taken = _host_class("SUN397")
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


def test_a_host_class_without_one_class_in_train() -> None:
    items = [
        SimpleNamespace(impath=f"/r/{k}.jpg", label=k, classname=f"c{k}", domain=0)
        for k in range(3)
    ]
    host = SimpleNamespace(train_x=[items[0], items[2]], val=None, test=items)
    source = source_of(host, "Gap", "/r")
    assert source.classnames == ["c0", "c1", "c2"]
    with pytest.raises(UserError, match=r"class 1 \('c1'\) has no training image"):
        check_source(source)
