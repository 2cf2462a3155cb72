"""Our steps start fewer kernels than CLIP's own modules where a GPU would wait for them."""

from pathlib import Path

import pytest
import torch

SPEED = Path(__file__).resolve().parents[2] / "benchmarks" / "speed"


@pytest.fixture
def kernels(monkeypatch):
    monkeypatch.syspath_prepend(str(SPEED))
    import kernels

    return kernels


def test_views_are_no_kernels(kernels):
    x = torch.ones(2, 3, requires_grad=True)
    with kernels.Kernels() as seen:
        (x.t().reshape(6)[1:].unsqueeze(0) * 2).sum()
    assert dict(seen.counts) == {"clone": 1, "mul": 1, "sum": 1}  # reshape of t() copies


@pytest.mark.parametrize("trainer", ["CoOp", "CoCoOp", "MaPLe"])
def test_whole_prompts_take_fewer_than_clip_s_modules_and_shared_starts_more(
    kernels, monkeypatch, tmp_path, trainer
):
    """With two layers; the text part of a step grows with the layers, the rest does not."""
    monkeypatch.setattr(kernels, "SHAPE", {**kernels.SHAPE, "layers": 2})
    weights = str(tmp_path / "random.pt")
    kernels.random_clip(kernels.SHAPE, Path(weights))
    own, shared = (kernels.of_step(side, trainer, weights) for side in ("plain", "ours"))
    monkeypatch.setattr(kernels.text_tower, "bound_by_launches", lambda *_: True)
    assert kernels.of_step("ours", trainer, weights) < own < shared
