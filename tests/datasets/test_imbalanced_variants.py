"""``Imbalanced<Name>`` over our readers, and over datasets a host brings."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from data_cfg import make_cfg
from foreign import host_class
from mini_trees import BUILDERS

from npt_plugin.datasets.imbalanced_variants import imbalanced_variant, source_of
from npt_plugin.datasets.names import reader
from npt_plugin.datasets.source import check_source
from npt_plugin.errors import UserError


def test_over_ahost_class(tmp_path: Path) -> None:
    variant = imbalanced_variant(host_class())
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

    plain = host_class()(make_cfg(tmp_path))
    data = imbalanced_variant(host_class())(make_cfg(tmp_path, NUM_SHOTS=8, seed=3))
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
