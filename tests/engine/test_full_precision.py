"""A host's fp32 run is fp32 and its CPU run stays on the CPU, whatever its code forces."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from yacs.config import CfgNode

from npt_plugin.engine import full_precision


def config(name="MaPLe", cuda=True, **precisions):
    trainer = {key: {"PREC": value} for key, value in precisions.items()}
    return CfgNode({"TRAINER": {"NAME": name, **trainer}, "USE_CUDA": cuda})


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)


class Trainer:
    pass


HALF, CUDA = torch.Tensor.half, torch.Tensor.cuda


def test_on_a_cpu_both_are_ignored():
    assert full_precision.ignored_casts(config(cuda=False)) == {HALF, CUDA}


@pytest.mark.parametrize(
    "name, precisions, ignored",
    [
        ("MaPLe", {"MAPLE": "fp32", "COOP": "fp16"}, {HALF}),
        ("MaPLe", {"MAPLE": "fp16", "COOP": "fp32"}, set()),
        ("MaPLe", {"MAPLE": "amp"}, set()),
        ("NPT_PromptSRC", {"PROMPTSRC": "fp32"}, {HALF}),
        ("NPT-KgCoOp", {"COOP": "fp32"}, {HALF}),
        ("Else", {}, set()),
    ],
)
def test_on_a_gpu_half_is_ignored_for_fp32_only(gpu, name, precisions, ignored):
    assert full_precision.ignored_casts(config(name, **precisions)) == ignored


def test_calls_hand_the_tensor_back():
    trainer = Trainer()
    full_precision.follow_config(config(cuda=False), trainer)
    layer, x = nn.Linear(3, 2), torch.randn(4, 3, requires_grad=True)
    assert layer.half().weight.dtype == torch.float32
    assert layer.cuda().weight.device.type == "cpu"
    y = layer(x.half().cuda()) + nn.Parameter(torch.zeros(2)).half()
    y.sum().backward()
    assert y.dtype == torch.float32 and x.grad is not None
    assert x.to(torch.float16).dtype == torch.float16  # asked for by name: done


def test_the_next_run_decides_anew(gpu):
    first, second = Trainer(), Trainer()
    full_precision.follow_config(config("MaPLe", MAPLE="fp32"), first)
    assert torch.ones(1).half().dtype == torch.float32
    full_precision.follow_config(config("MaPLe", MAPLE="fp16"), second)
    assert torch.ones(1).half().dtype == torch.float16


def test_a_host_trainer_counts_as_long_as_it_lives_and_ours_does_not():
    def built(cls):
        trainer = cls()
        full_precision.trainer_built(trainer, config(cuda=False))
        return trainer

    Host = type("Host", (), {"__module__": "trainers.maple"})
    Ours = type("PromptTrainer", (), {"__module__": "npt_plugin.trainers.base"})
    ours = built(type("NPT_Mine", (Ours,), {"__module__": "elsewhere"}))
    assert torch.ones(1).half().dtype == torch.float16
    host, other = built(Host), built(Host)
    del other
    assert torch.ones(1).half().dtype == torch.float32
    del host, ours
    assert torch.ones(1).half().dtype == torch.float16


@pytest.mark.parametrize("device", ["cuda", "cuda:1", torch.device("cuda"), 0])
def test_whatever_names_a_gpu_means_the_cpu(device, tmp_path):
    trainer, x = Trainer(), torch.ones(2)
    full_precision.follow_config(config(cuda=False), trainer)
    made = [
        x.to(device),
        x.to(device, torch.float64),
        x.to(device=device),
        torch.zeros(2, device=device),
        torch.arange(2, device=device),
        nn.Linear(2, 2, device=device).weight,
    ]
    if device != 0 or torch.__version__ >= "2.7":  # 2.6 looks for GPU 0 before we are asked
        made.append(nn.Linear(2, 2).to(device).weight)
    assert {str(tensor.device) for tensor in made} == {"cpu"} and made[1].dtype == torch.float64
    assert x.to(torch.int64).dtype == torch.int64 and x.new_zeros(3).device.type == "cpu"


@pytest.mark.parametrize("location", ["cuda", torch.device("cuda:0")])
def test_a_checkpoint_asked_for_on_a_gpu_comes_on_the_cpu(location, tmp_path):
    file = tmp_path / "model.pth"
    torch.save({"ctx": torch.arange(3.0)}, file)
    trainer = Trainer()
    full_precision.follow_config(config(cuda=False), trainer)
    loaded = torch.load(file, map_location=location, weights_only=True)["ctx"]
    assert torch.equal(loaded, torch.arange(3.0)) and loaded.device.type == "cpu"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there a GPU is one")
def test_without_a_host_a_gpu_is_a_gpu(tmp_path):
    file = tmp_path / "model.pth"
    torch.save({"ctx": torch.arange(3.0)}, file)
    trainer = Trainer()
    full_precision.follow_config(config(cuda=False), trainer)
    del trainer
    with pytest.raises((RuntimeError, AssertionError)):
        torch.zeros(2).to("cuda")
    with pytest.raises(RuntimeError, match="CUDA"):
        torch.load(file, map_location="cuda", weights_only=True)


def test_the_mode_leaves_from_below_another(untouched):
    from torch.utils._device import DeviceContext

    from npt_plugin.engine import replaced

    stack = torch.overrides._get_current_function_mode_stack
    before, storages = list(stack()), list(torch.serialization._package_registry)
    full_precision.ignore_from_now_on(frozenset({CUDA}))
    with torch.device("meta"):
        replaced.undo_all()
        assert isinstance(stack()[-1], DeviceContext) and len(stack()) == len(before) + 1
    assert stack() == before and torch.serialization._package_registry == storages
