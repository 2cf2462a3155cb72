"""Pieces of a batch and of the class list: the same numbers with less memory."""

import pytest
import torch
from memory import kept_bytes
from tolerance import DOUBLE, gap

from npt_plugin.errors import UserError


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


# -- without a trainer ----------------------------------------------------------------------------


def test_a_frozen_image_side_keeps_no_graph(prompted):
    images = torch.randn(2, 3, 32, 32)
    assert not prompted("CoOp").image_features(images).requires_grad
    assert prompted("MaPLe").image_features(images).requires_grad


def test_training_leaves_the_frozen_towers_in_eval(prompted):
    model = prompted("CoCoOp").train()
    assert model.training and model.prompt_learner.meta_net.training
    assert not any(m.training for m in (*model.image_encoder.modules(),))
    assert not any(m.training for m in (*model.text_encoder.modules(),))


@pytest.mark.numerics
def test_encoding_is_classifying_the_features_of_unit_norm(prompted):
    model, images = prompted("CoOp"), torch.randn(2, 3, 32, 32)
    features = model.image_features(images)
    assert gap(features.norm(dim=-1), torch.ones(2)) <= DOUBLE
    whole, later = model.encode(images), model.classify(features)
    assert gap(later.logits, whole.logits) <= DOUBLE
    cosines = features @ model.text_features().T
    assert gap(whole.logits, model.logit_scale.exp() * cosines) <= DOUBLE
    assert gap(model.classify(features, -model.text_features()).logits, -whole.logits) <= DOUBLE


def test_a_checkpoint_holds_what_is_learned_and_nothing_else(prompted):
    model = prompted("CoOp")
    assert list(model.learned()) == ["prompt_learner.ctx"]
    state = model.checkpoint_state()
    assert list(state) == ["ctx"] and torch.equal(state["ctx"], model.prompt_learner.ctx)
    state["ctx"] += 1  # a copy
    assert not torch.equal(state["ctx"], model.prompt_learner.ctx)
    extra = {**state, "token_prefix": torch.zeros(1)}  # public checkpoints hold these too
    assert model.load_checkpoint_state(extra, "a file") == ["ctx"]
    assert torch.equal(state["ctx"], model.prompt_learner.ctx)


def test_a_checkpoint_of_another_method_or_shape_changes_nothing(prompted):
    model = prompted("MaPLe")
    before = model.checkpoint_state()
    wrong = {name: value + 1 for name, value in before.items()}
    *_, last = wrong
    for broken, said in (
        ({**wrong, last: torch.zeros(3)}, rf"a.tar: '{last}' has shape \(3,\), this run needs"),
        ({k: v for k, v in wrong.items() if k != last}, f"a.tar has no '{last}'"),
        ({}, "it holds nothing"),
    ):
        with pytest.raises(UserError, match=said):
            model.load_checkpoint_state(broken, "a.tar")
        for name, value in model.checkpoint_state().items():
            assert torch.equal(value, before[name]), name
