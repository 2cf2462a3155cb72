from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cifar_files import cifar100_tree
from PIL import Image
from reader_checks import read

from npt_plugin.datasets.cifar_binary import read_binary
from npt_plugin.errors import UserError


@pytest.fixture
def cifar100(tmp_path: Path) -> Path:
    cifar100_tree(tmp_path)
    return tmp_path


def _read(root: Path, name: str = "CIFAR100LT", **keys: Any) -> Any:
    return read(name, root, **keys)


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
