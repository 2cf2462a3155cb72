"""Steps on a GPU: nothing waits, the scaler is exact, no CPU kernel, memory, change of device."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from trainer_checks import assert_same, learned

from npt_plugin.backbone.frozen_linear import takes_onednn
from npt_plugin.losses.registry import CLASSIFICATION_LOSSES
from npt_plugin.trainers import BASE_TRAINERS, checkpoints

TRAINERS = ("CoOp", "CoCoOp", "MaPLe", "NPT_CoOp", "NPT_CoCoOp", "NPT_MaPLe")
MIB = 2**20


@pytest.fixture
def no_waiting() -> Iterator[Callable]:
    """Call it: from then on whatever makes the host wait for the device is an error."""
    yield lambda: torch.cuda.set_sync_debug_mode("error")
    torch.cuda.set_sync_debug_mode("default")


def _step_thrice(trainer, no_waiting: Callable, step: Callable) -> None:
    """The first step asks how much memory is free, the second records; the third may not wait."""
    trainer.set_model_mode("train")
    batch = next(iter(trainer.train_loader_x))
    step(batch)
    step(batch)
    torch.cuda.synchronize()
    no_waiting()
    step(batch)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
@pytest.mark.parametrize("name", TRAINERS)
def test_a_step_does_not_wait(make_trainer, no_waiting, name: str, precision: str):
    node = name.removeprefix("NPT_").upper()
    trainer = make_trainer(name, f"TRAINER.{node}.PREC", precision)
    _step_thrice(trainer, no_waiting, trainer.forward_backward)


@pytest.mark.parametrize("loss", CLASSIFICATION_LOSSES)
def test_a_step_does_not_wait_with_any_loss(make_trainer, no_waiting, loss: str):
    trainer = make_trainer("NPT_CoOp", "TRAINER.IMBALANCE_LOSS.NAME", loss)
    _step_thrice(trainer, no_waiting, trainer.forward_backward)


def test_amp_waits_in_the_scaler_alone(make_trainer, no_waiting):
    """``GradScaler.step`` reads whether a gradient overflowed; forward and backward do not."""
    trainer = make_trainer("NPT_CoOp", "TRAINER.COOP.PREC", "amp")
    _step_thrice(trainer, no_waiting, lambda batch: trainer.backward(trainer.on_device(batch)))


def test_the_scaler_s_factor_leaves_the_sum_of_several_terms(make_trainer):
    """Factors are powers of two: gradients differ by fp16's rounding of what is subnormal only."""
    found = []
    for power in (6, 10):
        trainer = make_trainer("NPT_CoOp", "TRAINER.COOP.PREC", "amp")
        trainer.scaler = torch.amp.GradScaler("cuda", init_scale=2.0**power)
        trainer.set_model_mode("train")
        torch.manual_seed(1)
        seen = trainer.on_device(next(iter(trainer.train_loader_x)))
        summary = trainer.backward(seen)
        assert len(summary) > 3  # loss, acc and at least two terms
        (gradient,) = [p.grad / 2.0**power for p in trainer.model.learned().values()]
        found.append(gradient)
    bound = 10 * torch.finfo(torch.float16).eps * float(found[1].abs().max())
    assert float((found[0] - found[1]).abs().max()) <= bound


def test_the_cpu_s_kernel_is_off(monkeypatch):
    monkeypatch.setattr("npt_plugin.backbone.frozen_linear.kernels", lambda: "onednn")
    x, weight = torch.ones(64, 512), torch.ones(512, 512)
    assert takes_onednn(x, weight)
    assert not takes_onednn(x.cuda(), weight.cuda())


def test_a_thousand_classes_take_less_memory_in_chunks(make_cfg, small_clip):
    """The graph of 1000 prompts against that of 100 at a time."""
    names = [f"thing {i}" for i in range(1000)]
    peaks = []
    for chunk in (0, 100):
        torch.manual_seed(3)
        cfg = make_cfg("CoOp", "MODEL.TEXT_CHUNK", str(chunk))
        model = BASE_TRAINERS["CoOp"].model_class(cfg, names, small_clip).cuda()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        model.text_features().sum().backward()
        peaks.append(torch.cuda.max_memory_allocated() - before)
    assert peaks[1] < 0.5 * peaks[0], [peak // MIB for peak in peaks]


@pytest.mark.parametrize("precision", ["fp32", "amp"])
@pytest.mark.parametrize("first", ["cpu", "cuda"])
def test_a_run_goes_on_on_the_other_device(make_trainer, tmp_path, capsys, first, precision):
    options = ("TRAINER.COOP.PREC", precision, "OPTIM.GNM.ENABLED", "True")
    begun = make_trainer("NPT_CoOp", *options, "USE_CUDA", str(first == "cuda"))
    assert begun.device.type == first
    begun.epoch = 0
    begun.set_model_mode("train")
    begun.forward_backward(next(iter(begun.train_loader_x)))
    checkpoints.save_progress(begun)
    other = make_trainer("NPT_CoOp", *options, "USE_CUDA", str(first != "cuda"))
    assert checkpoints.resume(other, str(tmp_path / "run")) == 1
    assert f"device {first} -> {other.device.type}" in capsys.readouterr().out
    on_cpu = [{n: p.cpu() for n, p in learned(t).items()} for t in (begun, other)]
    assert_same(*on_cpu)
    other.set_model_mode("train")
    summary = other.forward_backward(next(iter(other.train_loader_x)))
    assert torch.isfinite(summary["loss"])
