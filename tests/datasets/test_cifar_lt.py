"""CIFAR-LT from synthetic files in the real binary format."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from cifar_files import cifar100_tree, write_binary
from reader_checks import read

from npt_plugin.errors import UserError


@pytest.fixture
def cifar100(tmp_path: Path) -> Path:
    cifar100_tree(tmp_path)
    return tmp_path


def _read(root: Path, name: str = "CIFAR100LT", **keys: Any) -> Any:
    return read(name, root, **keys)


def test_long_tail_is_the_public_subset_whatever_the_seed(cifar100: Path) -> None:
    one, two = (_read(cifar100, seed=seed, imbalance={"RATIO": 0.1}) for seed in (1, 2))
    assert [i.impath for i in one.train_x] == [i.impath for i in two.train_x]
    counts = Counter(i.label for i in one.train_x)
    assert [counts[k] for k in range(5)] == [20, 11, 6, 3, 2]
    assert len(one.test) == 20
    step = _read(cifar100, imbalance={"RATIO": 0.1, "PROFILE": "step"})
    assert len(step.train_x) == 2 * 20 + 3 * 2
    base = _read(cifar100, SUBSAMPLE_CLASSES="base", imbalance={"RATIO": 0.1})
    assert Counter(i.label for i in base.train_x) == {0: 20, 1: 11, 2: 6}
    with pytest.raises(UserError, match="ordered by index"):
        _read(cifar100, imbalance={"RATIO": 0.1, "ORDER": "random"})


def test_with_shots_the_general_rule_applies(cifar100: Path) -> None:
    data = _read(cifar100, NUM_SHOTS=16, imbalance={"RATIO": 0.06})
    assert Counter(i.label for i in data.train_x) == {0: 16, 1: 8, 2: 4, 3: 2, 4: 1}


def test_cifar10_has_five_batches_and_one_label_byte(tmp_path: Path) -> None:
    base = tmp_path / "cifar-10/cifar-10-batches-bin"
    for batch in range(1, 6):
        write_binary(base / f"data_batch_{batch}.bin", [0, 1, batch % 2], 1)
    write_binary(base / "test_batch.bin", [0, 1], 1)
    (base / "batches.meta.txt").write_text("airplane\nautomobile\n\n")
    data = _read(tmp_path, "CIFAR10LT")
    assert data.classnames == ["airplane", "automobile"]
    assert [i.label for i in data.train_x] == [0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 1]
