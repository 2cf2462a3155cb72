"""Pieces of a batch and of the class list: the same numbers with less memory."""

import pytest
import torch
from memory import kept_bytes
from tolerance import DOUBLE, gap


def step_gradients(trainer, batch):
    terms, outputs = trainer.losses(trainer.on_device(batch))
    parameters = trainer.model.learned()
    found = torch.autograd.grad(sum(terms.values()), list(parameters.values()))
    return outputs.logits, dict(zip(parameters, found, strict=True))


@pytest.mark.numerics
@pytest.mark.parametrize(
    "name", ["NPT_MaPLe", "NPT_VPT", "NPT_IVLP", "NPT_CoCoOp", "NPT_CoOp", "Decoder", "GNM_PT"]
)
@pytest.mark.parametrize(
    "options", [("TRAIN.IMAGE_CHUNKS", "3"), ("TRAIN.IMAGE_CHUNKS", "9"), ("MODEL.TEXT_CHUNK", "2")]
)
def test_gradients_of_a_step_are_those_of_the_whole_batch(make_trainer, name, options):
    """With NPT's terms, which are not a mean over images."""
    still = ("MODEL.TEXT_CHUNK", "0", "TRAINER.GNM_PT.DROPOUT", "0.")
    plain = make_trainer(name, *still)
    batch = next(iter(plain.train_loader_x))
    ours = make_trainer(name, *still, *options)
    (logits, expected), (same, found) = step_gradients(plain, batch), step_gradients(ours, batch)
    assert gap(same, logits) <= DOUBLE
    for key, gradient in expected.items():
        assert gap(found[key], gradient) <= DOUBLE, key


@pytest.mark.parametrize(
    "name, options",
    [
        ("MaPLe", ("TRAIN.IMAGE_CHUNKS", "4")),
        ("CoCoOp", ("MODEL.TEXT_CHUNK", "3")),
        ("CoOp", ("MODEL.TEXT_CHUNK", "1")),
    ],
)
def test_less_is_kept_for_backward(make_trainer, name, options):
    sizes = []
    for more in ((), options):
        trainer = make_trainer(name, "MODEL.TEXT_CHUNK", "0", *more)
        frozen = sum(p.nbytes for p in trainer.model.parameters() if not p.requires_grad)
        batch = next(iter(trainer.train_loader_x))
        with torch.device("cpu"):
            size, kept = kept_bytes(lambda t=trainer, b=batch: t.losses(t.on_device(b)))
        sizes.append(size)
        assert frozen and kept
    assert sizes[1] < sizes[0]
