"""CIFAR-LT from synthetic files in the real binary format."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_cfg import make_cfg
from PIL import Image

from npt_plugin.datasets.cifar_binary import read_binary
from npt_plugin.datasets.cifar_subset import longtail_sizes, public_subset
from npt_plugin.datasets.names import reader
from npt_plugin.datasets.source import Record
from npt_plugin.errors import UserError


@pytest.mark.parametrize(("ir", "total"), [(10, 19573), (50, 12608), (100, 10847)])
def test_public_counts_of_cifar100_lt(ir: int, total: int) -> None:
    sizes = longtail_sizes(100, 500, 1 / ir)
    assert sum(sizes) == total
    assert (sizes[0], sizes[-1]) == (500, 500 // ir)


def test_public_counts_of_cifar10_lt_and_step() -> None:
    assert sum(longtail_sizes(10, 5000, 0.01)) == 12406
    assert longtail_sizes(10, 5000, 0.01)[-1] == 50
    assert longtail_sizes(5, 100, 0.1, "step") == [100, 100, 10, 10, 10]


def test_seed_0_subset_equals_the_public_procedure() -> None:
    rng = np.random.RandomState(7)
    labels = rng.permutation(np.repeat(np.arange(6), 40))
    items = [Record(f"{i}", int(label), "") for i, label in enumerate(labels)]
    sizes = longtail_sizes(6, 40, 0.1)
    np.random.seed(0)  # the shared data code, on the global generator
    expected = []
    for label, size in zip(np.unique(labels), sizes, strict=True):
        positions = np.where(labels == label)[0]
        np.random.shuffle(positions)
        expected += list(positions[:size])
    assert [int(item.path) for item in public_subset(items, sizes)] == expected


def test_full_size_counts_through_the_subset() -> None:
    items = [Record("", i % 100, "") for i in range(50_000)]
    counts = Counter(item.label for item in public_subset(items, longtail_sizes(100, 500, 0.01)))
    assert sum(counts.values()) == 10_847
    assert (counts[0], counts[35], counts[70], counts[99]) == (500, 98, 19, 5)


def _write(path: Path, labels: list[int], label_bytes: int) -> np.ndarray:
    rng = np.random.RandomState(len(labels))
    pixels = rng.randint(0, 256, (len(labels), 3072), dtype=np.uint8)
    heads = np.zeros((len(labels), label_bytes), dtype=np.uint8)
    heads[:, -1] = labels
    path.parent.mkdir(parents=True, exist_ok=True)
    np.hstack([heads, pixels]).tofile(path)
    return pixels


@pytest.fixture
def cifar100(tmp_path: Path) -> Path:
    base = tmp_path / "cifar-100/cifar-100-binary"
    _write(base / "train.bin", [i % 5 for i in range(100)], 2)
    _write(base / "test.bin", [i % 5 for i in range(20)], 2)
    (base / "fine_label_names.txt").write_text("apple\naquarium_fish\nbaby\nbear\nbeaver\n\n")
    return tmp_path


def _read(root: Path, name: str = "CIFAR100LT", **keys: Any) -> Any:
    return reader(name)(make_cfg(root, **keys))


def test_reads_unpacked_pixels_exactly(cifar100: Path) -> None:
    data = _read(cifar100)
    assert data.classnames == ["apple", "aquarium_fish", "baby", "bear", "beaver"]
    assert len(data.train_x) == 100 and len(data.test) == 20 and data.val is None
    raw = np.fromfile(cifar100 / "cifar-100/cifar-100-binary/train.bin", np.uint8).reshape(100, -1)
    for number in (0, 57, 99):
        item = data.train_x[number]
        assert item.label == number % 5
        pixels = np.asarray(Image.open(item.impath)).transpose(2, 0, 1).reshape(-1)
        assert (pixels == raw[number, 2:]).all()


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
        _write(base / f"data_batch_{batch}.bin", [0, 1, batch % 2], 1)
    _write(base / "test_batch.bin", [0, 1], 1)
    (base / "batches.meta.txt").write_text("airplane\nautomobile\n\n")
    data = _read(tmp_path, "CIFAR10LT")
    assert data.classnames == ["airplane", "automobile"]
    assert [i.label for i in data.train_x] == [0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 1]


def test_killed_build_starts_again(cifar100: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = Image.Image.save, []

    def dies(self: Image.Image, *args: Any, **kwargs: Any) -> None:
        calls.append(1)
        if len(calls) > 60:
            raise KeyboardInterrupt
        real(self, *args, **kwargs)

    monkeypatch.setattr(Image.Image, "save", dies)
    with pytest.raises(KeyboardInterrupt):
        _read(cifar100)
    monkeypatch.undo()
    assert not (cifar100 / "cifar-100/images").exists()
    assert len(_read(cifar100).train_x) == 100


def test_a_build_killed_for_good_is_swept_up_later(cifar100: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from PIL import Image\n"
        "from npt_plugin.datasets.cifar_binary import CIFAR100, unpack\n"
        "real, n = Image.Image.save, []\n"
        "def save(*a, **k):\n"
        "    n.append(1)\n"
        "    if len(n) > 40: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    real(*a, **k)\n"
        "Image.Image.save = save\n"
        "unpack(Path(sys.argv[1]), CIFAR100, 'split_CIFAR100LT.json')\n"
    )
    base = cifar100 / "cifar-100"
    root = Path(__file__).parents[2]
    env = dict(os.environ, PYTHONPATH=os.pathsep.join([str(root), str(root / "third_party")]))
    run = subprocess.run([sys.executable, "-c", code, str(base)], env=env, capture_output=True)
    assert run.returncode == -signal.SIGKILL, run.stderr
    (left,) = base.glob(".images.*")
    assert not (base / "images").exists()
    os.utime(left, (0, 0))
    assert len(_read(cifar100).train_x) == 100
    assert not list(base.glob(".images.*"))


def test_broken_and_absent_files(cifar100: Path, tmp_path: Path) -> None:
    train = cifar100 / "cifar-100/cifar-100-binary/train.bin"
    whole = train.read_bytes()
    train.write_bytes(whole[:-10])
    with pytest.raises(UserError, match="train.bin' is cut short"):
        _read(cifar100)
    train.write_bytes(b"\0\7" + whole[2:])
    with pytest.raises(UserError, match="has label 7, of 5 names"):
        _read(cifar100)
    with pytest.raises(UserError, match="cannot be read"):
        read_binary(tmp_path / "none.bin", 1)
    (tmp_path / "new/cifar-100/cifar-100-python").mkdir(parents=True)
    with pytest.raises(UserError, match="pickles and are not opened; get the binary version"):
        _read(tmp_path / "new")
