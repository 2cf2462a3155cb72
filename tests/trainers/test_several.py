"""A run of two or three processes is the run of one: real torchrun, gloo, one CPU."""

from __future__ import annotations

import random

import numpy as np
import pytest
import several_processes as table
import torch
from tolerance import gap

from npt_plugin.datasets.fewshot import seeded_random
from npt_plugin.errors import UserError
from npt_plugin.system import ranks
from npt_plugin.system.random_state import set_random_seed
from npt_plugin.trainers import several as module


@pytest.fixture(scope="module", params=[2, pytest.param(3, marks=pytest.mark.long)])
def several(request, torchrun, pets_root, small_clip_file, tmp_path_factory):
    """``several("float64")``: what each process of a run learned, row by row."""
    out = tmp_path_factory.mktemp("several")
    done = torchrun(request.param, table.__file__, pets_root, small_clip_file, out)
    assert done.returncode == 0, done.stdout + done.stderr

    def found(precision):
        files = [out / f"{precision}.{rank}.pt" for rank in range(request.param)]
        return [torch.load(file, weights_only=True) for file in files]

    return found


@pytest.fixture(scope="module")
def known():
    """Fills with what runs of one process learn, which is the same for 2 and for 3."""
    return {}


@pytest.fixture
def alone(known, make_trainer, tmp_path):
    """``alone("float64", nudge)``: what one process learns, row by row."""

    def learn(precision, nudge=0.0):
        key = precision, nudge
        if key not in known:
            known[key] = table.learn(make_trainer, tmp_path / str(nudge), nudge=nudge)
        return known[key]

    return learn


def furthest(found, wanted):
    """How far the tensors of a row part, of the largest number in each."""
    return max(gap(tensor.double(), wanted[name].double()) for name, tensor in found.items())


@pytest.mark.slow
@pytest.mark.numerics
def test_float64(several, alone):
    wanted = alone("float64")
    for process in several("float64"):
        for name in table.CASES:
            assert furthest(process[name], wanted[name]) < 1e-12, name


@pytest.mark.slow
@pytest.mark.numerics(single=True)
def test_float32(several, alone):
    """Within 1e-6, or as near as one process is to itself when each step is rounded differently.

    Twenty steps multiply a rounding by what the network makes of it, 10 for some rows, 1000 for
    others; the second run of one process, moved by one unit in the last place at its start and
    after each step, measures that.
    """
    wanted, nudged = alone("float32"), alone("float32", nudge=1.2e-7)
    for process in several("float32"):
        for name in table.CASES:
            bound = max(1e-6, 4 * furthest(nudged[name], wanted[name]))
            assert furthest(process[name], wanted[name]) < bound, name


@pytest.fixture
def two(monkeypatch):
    """As in process 0 of two; returns what it says to the other, to be the same there."""
    said = []
    monkeypatch.setattr(module, "require_same", lambda text, refusal: said.append((text, refusal)))
    monkeypatch.setattr(module, "copy_from_first", lambda tensors: None)
    ranks.belong(2, 0)
    yield said
    ranks.belong()


def test_processes_compare_what_must_be_one_run(make_trainer, two):
    def told(*options, epoch=0):
        two.clear()
        trainer = make_trainer("CoOp", *options)
        trainer.start_epoch = epoch
        module.agree(trainer)
        return [text for text, _ in two]

    config, images, start, draws = told()
    assert told() == [config, images, start, draws]
    assert told("OPTIM.LR", "0.2")[0] != config
    assert told("DATASET.NUM_SHOTS", "2")[1] != images
    assert told(epoch=1)[2] != start
    assert "found another checkpoint" in two[2][1]


@pytest.mark.parametrize("draw", [lambda: torch.rand(1), random.random, np.random.rand])
def test_a_draw_that_others_did_not_make_is_seen(two, draw):
    set_random_seed(1)
    module.same_draws()
    module.same_draws()
    draw()
    module.same_draws()
    assert two[0] == two[1] != two[2]


def test_processes_of_an_unseeded_run_draw_alike(make_cfg, two, monkeypatch):
    monkeypatch.setattr(module, "largest", lambda number: 77)
    cfg = make_cfg("CoOp").clone()
    cfg.defrost()
    cfg.SEED = -1
    module.seed_alike(cfg)
    first = torch.rand(1), seeded_random(cfg.SEED).random()
    torch.manual_seed(5)
    random.seed(5)
    module.seed_alike(cfg)
    assert (torch.rand(1), seeded_random(cfg.SEED).random()) == first


def test_an_unseeded_run_of_processes_is_another_one_each_time(make_cfg, two, monkeypatch):
    monkeypatch.setattr(module, "largest", lambda number: number)
    cfg = make_cfg("CoOp").clone()
    cfg.defrost()
    cfg.SEED = -1
    drawn = set()
    for start in range(3):
        random.seed(start)  # as the system seeds it in each process
        torch.manual_seed(0)  # PyTorch's starts the same everywhere
        module.seed_alike(cfg)
        drawn.add(float(torch.rand(1)))
    assert len(drawn) == 3


def test_a_gpu_for_each_process(make_cfg, monkeypatch, capsys):
    cfg = make_cfg("CoOp")
    module.check_devices(cfg)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    module.check_devices(cfg)
    assert "2 GPUs are visible, this run uses one" in capsys.readouterr().out
    ranks.belong(3, 0)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    with pytest.raises(UserError, match="3 processes on .* see 2 GPUs"):
        module.check_devices(cfg)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    module.check_devices(cfg)
    ranks.belong()
