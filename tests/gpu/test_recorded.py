"""Passes by CUDA graphs give the numbers of passes as they are."""

from __future__ import annotations

import pytest
import torch
from tolerance import DOUBLE, gap
from torch import Tensor

from npt_plugin.backbone import recorded
from npt_plugin.backbone.frozen_linear import plain_kernels

TRAINERS = ("CoOp", "CoCoOp", "MaPLe", "NPT_CoOp", "NPT_MaPLe", "PromptSRC")


def _passes(tower, shape: tuple[int, ...], n_deep: int, ends: Tensor | None, width: int):
    """Features and gradients of five passes with other numbers each."""
    generator = torch.Generator("cuda").manual_seed(1)
    draw = lambda *size: torch.randn(*size, generator=generator, device="cuda").double()  # noqa: E731
    for _ in range(5):
        x, *prompts = draw(*shape), *(draw(2, width) for _ in range(n_deep))
        leaves = [t.requires_grad_() for t in (x, *prompts)]
        if ends is None:
            out = tower(x, prompts[0] if prompts else None, prompts[1:])
        else:
            out = tower(x, ends, prompts)
        pull = torch.linspace(-1, 1, out.numel(), device="cuda").double().view_as(out)
        yield out.detach(), *torch.autograd.grad((out * pull).sum(), leaves)


@pytest.mark.parametrize(
    ("which", "n_deep"), [("text", 0), ("text", 1), ("image", 0), ("image", 2)]
)
def test_features_and_gradients_in_float64(small_clip, which: str, n_deep: int):
    small_clip.model.cuda().double()
    if which == "text":
        tower, shape, ends = small_clip.text_tower(0), (7, 9, 64), torch.arange(2, 9).cuda()
        width = 64
    else:
        tower, ends = small_clip.image_tower(), None
        size = small_clip.model.visual.input_resolution
        shape, width = (5, 3, size, size), tower.width
    tower.eval()
    arguments = shape, n_deep, ends, width
    by_recording = list(_passes(tower, *arguments))
    (recording,) = recorded._KNOWN[tower].recordings.values()
    assert recording.turn == 4  # all but the first
    with plain_kernels():
        as_it_is = list(_passes(tower, *arguments))
    for ours, plain in zip(by_recording, as_it_is, strict=True):
        for one, other in zip(ours, plain, strict=True):
            assert gap(one, other) <= DOUBLE


@pytest.mark.parametrize("precision", ["fp32", "fp16", "amp", "bf16"])
@pytest.mark.parametrize("name", TRAINERS)
def test_steps_by_recordings_are_steps(make_trainer, name: str, precision: str):
    """Logits of six steps, as far as passes that are not recorded repeat themselves.

    Kernels that add up in any order make two such runs differ; twenty times that, and of the
    precision's rounding, is allowed.
    """
    node = name.removeprefix("NPT_").upper()

    def look(plain: bool) -> Tensor:
        torch.manual_seed(3)
        trainer = make_trainer(name, f"TRAINER.{node}.PREC", precision, "OPTIM.LR", "1e-4")
        trainer.epoch = 0
        trainer.set_model_mode("train")
        batch = trainer.on_device(next(iter(trainer.train_loader_x)))
        seen = []
        for _ in range(6):
            if plain:
                with plain_kernels():
                    trainer.forward_backward(batch)
            else:
                trainer.forward_backward(batch)
            with torch.no_grad(), plain_kernels(), trainer.precision.context(trainer.device):
                seen.append(trainer.encode(batch).logits.double().cpu())
        towers = (trainer.model.text_encoder, trainer.model.image_encoder)
        known = [recorded._KNOWN.get(tower) for tower in towers]
        made = sum(r is not None for k in known if k is not None for r in k.recordings.values())
        assert bool(made) is not plain
        return torch.stack(seen)

    first, second, found = look(True), look(True), look(False)
    kind = {"fp32": torch.float32, "bf16": torch.bfloat16}.get(precision, torch.float16)
    unit = torch.finfo(kind).eps * float(first.abs().max())
    bound = 20 * max(float((first - second).abs().max()), unit)
    assert float((found - first).abs().max()) <= bound
