"""A training step never makes the host wait for the device: every tensor of it is made there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from pretended import DEVICE, OneDevice, to_pretended_device

from npt_plugin.losses.registry import CLASSIFICATION_LOSSES
from npt_plugin.optim.noise import NoiseStream

TRAINERS = ("CoOp", "CoCoOp", "MaPLe", "NPT_CoOp", "NPT_CoCoOp", "NPT_MaPLe")


@pytest.fixture(autouse=True)
def no_generator(monkeypatch: pytest.MonkeyPatch):
    """The pretended device has none; the noise is drawn there without."""
    monkeypatch.setattr(NoiseStream, "generator", lambda self, device: None)


def step(trainer: Any) -> dict[str, torch.Tensor]:
    """One step on the pretended device."""
    trainer.set_model_mode("train")
    batch = next(iter(trainer.train_loader_x))
    to_pretended_device(trainer)
    with OneDevice():
        return trainer.forward_backward(batch)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", TRAINERS)
def test_a_step_stays_on_the_device(make_trainer: Callable, name: str, precision: str):
    node = name.removeprefix("NPT_").upper()
    trainer = make_trainer(name, f"TRAINER.{node}.PREC", precision)
    summary = step(trainer)
    assert {value.device for value in summary.values()} == {DEVICE}
    gradients = [p.grad for p in trainer.model.learned().values()]
    assert gradients and all(g is not None and g.device == DEVICE for g in gradients)


@pytest.mark.parametrize("loss", CLASSIFICATION_LOSSES)
def test_with_every_loss(make_trainer: Callable, loss: str):
    step(make_trainer("NPT_CoOp", "TRAINER.IMBALANCE_LOSS.NAME", loss))


@pytest.mark.parametrize("optimizer", ["GNM", "SAM"])
def test_with_every_optimizer(make_trainer: Callable, optimizer: str):
    step(make_trainer("CoOp", f"OPTIM.{optimizer}.ENABLED", "True"))


@pytest.mark.parametrize(
    "mistake",
    [
        lambda x: x.sum().item(),
        lambda x: bool((x > 0).all()),
        lambda x: x.cpu(),
        lambda x: x.nonzero(),
        lambda x: x[x > 0],
        lambda x: x.tolist(),
        lambda x: x + torch.zeros(3),
        lambda x: torch.arange(3),
        lambda x: torch.ones(3, device="cpu").to(DEVICE),
    ],
)
def test_every_way_of_waiting_is_seen(mistake: Callable[[torch.Tensor], Any]):
    x = torch.ones(3, device=DEVICE)
    with OneDevice(), pytest.raises((AssertionError, RuntimeError, NotImplementedError)):
        mistake(x)
