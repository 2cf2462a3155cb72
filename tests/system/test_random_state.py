"""Seeds are Dassl's, and a state that is put back goes on as if nothing had been drawn."""

from __future__ import annotations

import importlib
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from npt_plugin.engine.framework import BACKEND
from npt_plugin.system.random_state import (
    on_own_device,
    rng_state,
    seed_everything,
    set_random_seed,
    set_rng_state,
)


def draws() -> list:
    return [random.random(), *np.random.rand(3), np.random.randn(), *torch.randn(3).tolist()]


def dassls_contract(seed: int) -> None:
    """What Dassl's ``set_random_seed`` is documented to do, in its order."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)


ENGINES = {"the contract": lambda: dassls_contract} | {
    name: lambda name=name: importlib.import_module(f"{name}.utils").set_random_seed
    for name in {"minidassl", BACKEND}
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_seeding_equals(engine, seed):
    states = []
    for make in (set_random_seed, ENGINES[engine]()):
        draws()  # wherever the generators stand
        make(seed)
        states.append(rng_state())
    ours, theirs = states
    assert ours["python"] == theirs["python"]
    assert torch.equal(ours["torch"], theirs["torch"])
    for mine, other in zip(ours["numpy"], theirs["numpy"], strict=True):
        assert torch.equal(mine, other) if isinstance(mine, torch.Tensor) else mine == other
    assert all(torch.equal(a, b) for a, b in zip(ours["cuda"], theirs["cuda"], strict=True))


def test_every_cuda_device_is_seeded(monkeypatch):
    seeds = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeds.append)
    set_random_seed(5)
    assert 5 in seeds


def test_a_negative_seed_fixes_nothing(capsys):
    set_random_seed(3)
    seed_everything(SimpleNamespace(SEED=-1))
    free = draws()
    assert capsys.readouterr().out == ""
    seed_everything(SimpleNamespace(SEED=3))
    assert draws() == free and "Setting fixed seed: 3" in capsys.readouterr().out


def test_a_state_goes_on_where_it_was_also_through_a_file(tmp_path):
    draws()
    np.random.randn()  # numpy keeps the second of a pair of normal numbers
    torch.save(rng_state(), tmp_path / "state")
    first = draws()
    set_rng_state(torch.load(tmp_path / "state", weights_only=True))
    assert draws() == first


def test_another_device_goes_on_with_what_the_first_one_drew(monkeypatch):
    saved = {**rng_state(), "cuda": ["first", "second"]}
    assert len(on_own_device(saved)["cuda"]) == torch.cuda.device_count()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    assert on_own_device(saved)["cuda"] == ["first"] * 3
    assert on_own_device({**saved, "cuda": []})["cuda"] == []  # saved on a CPU
