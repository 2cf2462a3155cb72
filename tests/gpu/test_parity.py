"""A GPU's numbers are a CPU's, as far as rounding goes in each precision."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from double import replacements
from torch import Tensor

from npt_plugin.backbone.precision import _TABLE
from npt_plugin.system.random_state import set_random_seed
from npt_plugin.trainers import base

TRAINERS = ("CoOp", "CoCoOp", "MaPLe", "NPT_CoOp")
CPU = ("USE_CUDA", "False")


@pytest.fixture
def seen(make_trainer: Callable, monkeypatch: pytest.MonkeyPatch) -> Callable:
    """``seen("CoOp", "fp16", ...)``: logits and gradients of the first batch, in float64."""

    def look(name: str, precision: str, *options: str) -> dict[str, Tensor]:
        with monkeypatch.context() as patch:  # a CPU would choose fp32 for fp16 and amp
            patch.setattr(base, "resolve_precision", lambda *_: _TABLE[precision])
            trainer = make_trainer(name, "INPUT.TRANSFORMS", "(normalize,)", *options)
        if trainer.scaler.is_enabled():  # so small that no gradient overflows
            trainer.scaler = torch.amp.GradScaler("cuda", init_scale=2.0**8)
        set_random_seed(1)
        batch = trainer.on_device(next(iter(trainer.train_loader_x)))
        trainer.set_model_mode("train")
        terms, outputs = trainer.losses(batch)
        trainer.scaler.scale(sum(terms.values())).backward()
        scale = trainer.scaler.get_scale()
        learned = trainer.model.learned().items()
        found = {f"gradient of {n}": p.grad / scale for n, p in learned if p.grad is not None}
        found["logits"] = outputs.logits.detach()
        return {name: value.detach().double().cpu() for name, value in found.items()}

    return look


@pytest.fixture
def exact(seen: Callable, monkeypatch: pytest.MonkeyPatch) -> Callable:
    """The same in float64, on the CPU."""

    def look(name: str) -> dict[str, Tensor]:
        with monkeypatch.context() as patch:
            for owner, attribute, value in replacements():
                patch.setattr(owner, attribute, value)
            patch.setitem(_TABLE, "fp32", _double())
            torch.set_default_dtype(torch.float64)
            try:
                return seen(name, "fp32", *CPU)
            finally:
                torch.set_default_dtype(torch.float32)

    return look


def _double():
    return next(value for *_, name, value in replacements() if name == "_TABLE")["fp32"]


@pytest.mark.parametrize("precision", ["fp32", "fp16", "amp", "bf16"])
@pytest.mark.parametrize("name", TRAINERS)
def test_a_step_is_the_cpu_s(seen: Callable, exact: Callable, name: str, precision: str):
    """Both round as often: within ten times what the CPU in the same precision adds.

    Conditioning is measured, not guessed, as in ``tolerance.float32_bound``; fp16 and bf16 pass
    through it with their own rounding, and never less than one of it counts.
    """
    reference = exact(name)
    plain = seen(name, precision, *CPU)
    found = seen(name, precision)
    assert found.keys() == reference.keys() == plain.keys()
    kind = torch.float16 if precision == "amp" else _TABLE[precision].tower_dtype
    unit = torch.finfo(kind).eps / 2
    for key, value in reference.items():
        added = (plain[key] - value).abs().max()
        bound = 10 * max(float(added), unit * float(value.abs().max()))
        assert float((found[key] - value).abs().max()) <= bound, key
