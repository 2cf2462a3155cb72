"""docs/add-a-method.md: its example is a method, and NPT goes on top of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

PAGE = Path(__file__).resolve().parents[2] / "docs" / "add-a-method.md"


@pytest.fixture
def example(monkeypatch):
    import npt_plugin
    from npt_plugin.engine.framework import TRAINER_REGISTRY

    npt_plugin.register(base=True)
    held = "_objects" if hasattr(TRAINER_REGISTRY, "_objects") else "_obj_map"  # ours, Dassl's
    monkeypatch.setattr(TRAINER_REGISTRY, held, dict(getattr(TRAINER_REGISTRY, held)))
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec(code, {"__name__": "example"})


@pytest.mark.parametrize("name", ["Residual", "NPT_Residual"])
def test_the_example_starts_as_zero_shot_clip_and_learns(example, make_trainer, name):
    trainer = make_trainer(name)
    zero_shot = trainer.model.prompt_learner.text
    torch.testing.assert_close(trainer.model.text_features(), zero_shot)
    trainer.train()
    moved = trainer.model.prompt_learner.residual.detach()
    assert moved.isfinite().all() and moved.abs().max() > 0
    assert set(trainer.model.learned()) == {"prompt_learner.residual"}
