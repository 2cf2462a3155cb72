"""Checkpoints of public checkouts are read without running anything that is in them."""

from __future__ import annotations

import io
import os
import random
import sys
import zipfile

import pytest
import torch
from torch.optim import SGD, Adam, AdamW, RMSprop, lr_scheduler

from npt_plugin.errors import UserError
from npt_plugin.system.safe_checkpoints import (
    read_checkpoint,
    read_state,
    write_checkpoint,
    write_state,
)

SCHEDULES = {
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, 10.0),
    "single_step": lambda o: lr_scheduler.StepLR(o, 3),
    "multi_step": lambda o: lr_scheduler.MultiStepLR(o, [2, 5]),
}
OPTIMISERS = (SGD, Adam, AdamW, RMSprop)


@pytest.fixture(autouse=True)
def nothing_is_allowed_beforehand():
    """On upstream Dassl our repair has put the real classes on PyTorch's list."""
    listed = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    yield
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals(listed)


def dassl_checkpoint(path, optimiser, schedule, **how):
    """What Dassl saves: the warm-up's state holds the schedule, that the optimiser, with state."""
    weight = torch.nn.Parameter(torch.arange(6.0).view(2, 3))
    keys = {"momentum": 0.9} if optimiser is SGD else {}
    optim = optimiser([weight], lr=0.1, **keys)
    successor = SCHEDULES[schedule](optim)
    weight.grad = torch.ones_like(weight)
    optim.step()
    successor.step()
    state = {"state_dict": {"ctx": weight.detach()}, "epoch": 1, "val_result": 50.0}
    state |= {"optimizer": optim.state_dict(), "scheduler": {"successor": successor}}
    torch.save(state, path, **how)
    return weight.detach()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_pickled_schedules_do_not_stand_in_the_way(tmp_path, optimiser, schedule, zipped):
    path = tmp_path / "model.pth.tar-1"
    ctx = dassl_checkpoint(path, optimiser, schedule, _use_new_zipfile_serialization=zipped)
    with pytest.raises(Exception, match="[Ww]eights"):
        torch.load(path, weights_only=True)
    before = torch.serialization.get_safe_globals()
    checkpoint = read_checkpoint(path)
    assert torch.equal(checkpoint["state_dict"]["ctx"], ctx) and checkpoint["epoch"] == 1
    successor = checkpoint["scheduler"]["successor"]
    assert not isinstance(successor, lr_scheduler.LRScheduler)  # a stand-in, without code
    assert sorted(map(str, torch.serialization.get_safe_globals())) == sorted(map(str, before))


def test_what_others_allowed_stays_allowed(tmp_path):
    path = tmp_path / "model.pth.tar-1"
    dassl_checkpoint(path, SGD, "cosine")
    with torch.serialization.safe_globals([dict]):
        read_checkpoint(path)
        assert dict in torch.serialization.get_safe_globals()


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("place", ["state_dict", "scheduler"])
def test_foreign_objects_are_refused_by_name_and_never_run(tmp_path, place):
    state = {"state_dict": {"ctx": torch.ones(2)}, "epoch": 1, "scheduler": {}}
    state[place]["trap"] = Trap(tmp_path / "sprung")
    torch.save(state, tmp_path / "model.pth.tar-1")
    with pytest.raises(UserError, match=r"holds the Python object \w+\.mkdir"):
        read_checkpoint(tmp_path / "model.pth.tar-1")
    assert not (tmp_path / "sprung").exists()


def test_dassl_need_not_be_installed(tmp_path, monkeypatch):
    """RAdam is Dassl's own class."""
    name, module = "RAdam", "dassl.optim.radam"
    fake = type(name, (SGD,), {"__module__": module})
    with monkeypatch.context() as patch:
        for parent in ("dassl", "dassl.optim", module):
            patch.setitem(sys.modules, parent, type(sys)(parent))
        setattr(sys.modules[module], name, fake)
        dassl_checkpoint(tmp_path / "model.pth.tar-1", fake, "cosine")
    assert read_checkpoint(tmp_path / "model.pth.tar-1")["epoch"] == 1


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_damaged_files_are_refused_in_one_line(tmp_path, content):
    path = tmp_path / "model.pth.tar-1"
    dassl_checkpoint(path, SGD, "cosine")
    path.write_bytes(path.read_bytes()[:-300] if content is None else content)
    with pytest.raises(UserError, match="cannot be read safely") as error:
        read_checkpoint(path)
    assert "\n" not in str(error.value) and "weights_only" not in str(error.value)


CONTENT = {
    "state_dict": {"ctx": torch.arange(24.0).reshape(4, 6)},
    "epoch": 2,
    "classnames": ["red kite", "grün"],
}


def flips(good: bytes, count: int):
    """The file with one bit changed, ``count`` times, spread over all of it."""
    for bit in random.Random(1).sample(range(8 * len(good)), count):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        yield bytes(bad)


def test_every_flipped_bit_of_our_checkpoints_is_noticed(tmp_path):
    path = tmp_path / "model.pth.tar-2"
    write_checkpoint(path, CONTENT)
    for bad in flips(path.read_bytes(), 200):
        path.write_bytes(bad)
        with pytest.raises(UserError, match="cannot be read safely: it is damaged") as error:
            read_checkpoint(path)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("change", ["cut", "longer", "doubled"])
def test_a_file_of_another_length_is_damaged(tmp_path, change):
    path = tmp_path / "model.pth.tar-2"
    write_checkpoint(path, CONTENT)
    good = path.read_bytes()
    path.write_bytes({"cut": good[:-1], "longer": good + b"\0", "doubled": good + good}[change])
    with pytest.raises(UserError, match="cannot be read safely"):
        read_checkpoint(path)


def same(a, b) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


def test_no_flipped_bit_of_other_files_changes_what_is_read(tmp_path):
    """Published files and those of 0.1 carry the archive's checksums only."""
    path, refused = tmp_path / "model.pth.tar-2", 0
    torch.save(CONTENT, path)
    for bad in flips(path.read_bytes(), 200):
        path.write_bytes(bad)
        try:
            assert same(read_checkpoint(path), CONTENT)  # a date or a filling byte
        except UserError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 100


@pytest.mark.parametrize("how", [{}, {"mmap": True}])
def test_everybody_reads_a_sealed_file(tmp_path, how):
    path = tmp_path / "model.pth.tar-2"
    write_checkpoint(path, CONTENT)
    assert same(torch.load(path, weights_only=True, **how), CONTENT)
    assert same(read_checkpoint(path), CONTENT)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None and archive.comment.startswith(b"sha256 ")
    assert path.read_bytes()[:-73] == saved_plainly()[:-2]  # nothing else


def saved_plainly() -> bytes:
    buffer = io.BytesIO()
    torch.save(CONTENT, buffer)
    return buffer.getvalue()


def test_a_file_saved_without_checksums_is_read(tmp_path):
    path = tmp_path / "model.pth.tar-2"
    if not hasattr(torch.serialization, "set_crc32_options"):
        pytest.skip("this PyTorch always writes them")
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(CONTENT, path)
    finally:
        torch.serialization.set_crc32_options(True)
    assert same(read_checkpoint(path), CONTENT)


def test_state_files_come_back_or_are_none(tmp_path):
    path = tmp_path / "progress.npt"
    assert read_state(path) is None
    write_state(path, CONTENT)
    assert same(read_state(path), CONTENT)
    for bad in flips(path.read_bytes(), 60):
        path.write_bytes(bad)
        assert read_state(path) is None
