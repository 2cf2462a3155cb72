"""A script that names its GPU while it is imported goes on where there is none."""

from __future__ import annotations

import io

import pytest
import torch

from npt_plugin.engine import full_precision, no_gpu, replaced


@pytest.fixture
def meant(untouched):
    """What a host's script finds."""
    return no_gpu.mean_the_cpu()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_each_question_is_answered_for_the_cpu(meant):
    assert meant
    torch.cuda.set_device(0)
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    assert torch.cuda.current_device() == 0 and torch.cuda.get_device_name(0) == "cpu"
    assert torch.cuda.get_device_capability() == (0, 0)
    assert torch.cuda.device_count() == 0 and not torch.cuda.is_available()
    assert torch.randn(2).cuda().device.type == "cpu"
    assert torch.nn.Linear(2, 2).cuda().weight.device.type == "cpu"
    assert torch.zeros(2, device="cuda:0").device.type == "cpu"
    assert torch.ones(1).half().dtype == torch.float16  # nobody asked for fp32 yet
    file = io.BytesIO()
    torch.save(torch.arange(3), file)
    file.seek(0)
    assert torch.load(file, map_location="cuda").tolist() == [0, 1, 2]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_trainer_adds_to_it_and_leaves_it(meant):
    class Trainer:
        pass

    from yacs.config import CfgNode

    trainer = Trainer()
    full_precision.follow_config(CfgNode({"TRAINER": {"NAME": "X"}, "USE_CUDA": True}), trainer)
    assert torch.ones(1).half().dtype == torch.float32
    del trainer
    assert torch.ones(1).half().dtype == torch.float16
    assert torch.ones(1).cuda().device.type == "cpu"


def test_twice_is_once_and_undone_is_undone(meant):
    before = {name: getattr(torch.cuda, name) for name in no_gpu.ANSWERS}
    no_gpu.mean_the_cpu()
    assert {name: getattr(torch.cuda, name) for name in no_gpu.ANSWERS} == before
    replaced.undo_all()
    assert all(getattr(torch.cuda, n).__module__ == "torch.cuda" for n in ("set_device",))
    assert full_precision._mode is None


def test_where_there_is_a_gpu_nothing_changes(untouched, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert not no_gpu.mean_the_cpu() and replaced._steps == []
