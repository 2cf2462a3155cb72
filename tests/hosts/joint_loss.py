"""The gradient of a reference trainer's loss plus the terms, in one backward pass."""

from __future__ import annotations

from tolerance import DOUBLE, gap

from npt_plugin.backbone.outputs import PromptOutputs


def gradients(trainer):
    return {n: p.grad.clone() for n, p in trainer.model.prompt_learner.named_parameters()}


def expected(trainer, batch, factor=1.0):
    """Gradient of the host's loss plus the terms, in one backward pass."""
    trainer.model.zero_grad()
    images, labels = batch["img"], batch["label"]
    step, trainer.npt.step = trainer.npt.step, None
    image, text = trainer.model.features(images)
    terms = trainer.npt_objective(PromptOutputs(image @ image.T, image, text), labels)
    total = trainer.loss(images, labels) + sum(terms.values())
    (factor * total).backward()
    trainer.npt.step = step
    return gradients(trainer), terms


def assert_close(ours, theirs):
    for name, value in theirs.items():
        assert value.abs().max() > 0
        assert gap(ours[name], value) <= DOUBLE, name
