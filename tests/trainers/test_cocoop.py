"""CoCoOp: a context for every image."""

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.trainers import cocoop


@pytest.fixture
def model(prompted):
    model = prompted("CoCoOp", "TRAINER.COCOOP.N_CTX", "2")
    with torch.no_grad():  # a shift that can be seen
        for parameter in model.learned().values():
            parameter.normal_(std=0.3)
    return model


def unit(n):
    return torch.nn.functional.normalize(torch.randn(n, 48), dim=-1)


def test_the_network_that_shifts_has_the_published_shape(model):
    net = model.prompt_learner.meta_net
    assert net.linear1.weight.shape == (48 // 16, 48) and net.linear2.weight.shape == (64, 3)


@pytest.mark.numerics
def test_every_image_s_prompts_are_the_context_plus_its_shift(model):
    learner, features = model.prompt_learner, unit(3)
    net = learner.meta_net
    for one, prompts in zip(features, learner(features), strict=True):
        hidden = (net.linear1.weight @ one + net.linear1.bias).clamp(min=0)
        shift = net.linear2.weight @ hidden + net.linear2.bias
        for row in prompts:  # every class, and only at the context's positions
            assert gap(row[1:3], learner.ctx + shift) <= DOUBLE
        assert torch.equal(prompts[:, 0], learner.token_prefix[:, 0])
        assert torch.equal(prompts[:, 3:], learner.token_suffix)


@pytest.mark.numerics
def test_how_many_images_go_together_changes_nothing(model, monkeypatch):
    features = unit(5)
    whole = model.classify(features)
    assert whole.text_features.shape == (5, 3, 48)
    monkeypatch.setattr(cocoop, "PROMPTS_AT_ONCE", 2 * 3)  # two images of three classes
    with torch.no_grad():
        parts = model.classify(features)
    assert gap(parts.logits, whole.logits) <= DOUBLE
    assert gap(parts.text_features, whole.text_features) <= DOUBLE


@pytest.mark.numerics
def test_an_image_s_logits_do_not_depend_on_the_others(model):
    features = unit(3)
    together = model.classify(features).logits
    for one, logits in zip(features, together, strict=True):
        assert gap(model.classify(one[None]).logits[0], logits) <= DOUBLE


@pytest.mark.numerics
def test_the_classifier_of_a_second_stage_is_that_of_an_image_of_zeros(model):
    rows = model.classifier_rows()
    net = model.prompt_learner.meta_net
    with torch.no_grad():  # what the network says of it, in the context itself
        hidden = net.linear1.bias.clamp(min=0)
        model.prompt_learner.ctx += net.linear2.weight @ hidden + net.linear2.bias
        for parameter in net.parameters():
            parameter.zero_()
    assert gap(model.classify(unit(1)).text_features[0], rows) <= DOUBLE
