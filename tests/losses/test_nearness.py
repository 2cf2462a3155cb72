"""Nearness terms of KgCoOp, ProGrad and PromptSRC against plain loops."""

import pytest
import torch
import torch.nn.functional as F

from npt_plugin.losses.nearness import (
    DistillationLoss,
    KnowledgeGuidanceLoss,
    mean_distance,
    mean_divergence,
)

pytestmark = pytest.mark.numerics


def unit_rows(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(*shape, generator=generator, dtype=torch.float64), dim=-1)


@pytest.fixture
def features():
    return unit_rows(5, 8, seed=1), unit_rows(3, 8, seed=2), unit_rows(3, 8, seed=3)


def test_guidance_is_one_minus_the_mean_cosine(features):
    images, text, anchor = features
    term = KnowledgeGuidanceLoss(anchor)
    slow = 1 - sum(float(text[k] @ anchor[k]) for k in range(3)) / 3
    assert float(term(images, text, torch.zeros(5))) == pytest.approx(slow, rel=1e-12)
    assert float(term(images, anchor, torch.zeros(5))) == pytest.approx(0, abs=1e-12)
    assert float(term(images, -anchor, torch.zeros(5))) == pytest.approx(2)
    per_image = text.expand(5, 3, 8)
    assert float(term(images, per_image, torch.zeros(5))) == pytest.approx(slow, rel=1e-12)


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_distillation_is_the_cross_entropy_of_two_predictions(features, temperature):
    images, text, anchor = features
    term = DistillationLoss(anchor, 20.0, temperature)
    slow = 0.0
    for image in images:
        wanted = F.softmax(20 * anchor @ image / temperature, dim=0)
        given = F.softmax(20 * text @ image / temperature, dim=0)
        slow -= sum(float(w * g.log()) for w, g in zip(wanted, given, strict=True)) / 5
    found = float(term(images, text, torch.zeros(5)))
    assert found == pytest.approx(temperature**2 * slow, rel=1e-12)


def test_distillation_teaches_the_student_alone(features):
    images, text, anchor = features
    text = text.clone().requires_grad_()
    DistillationLoss(anchor, 20.0)(images, text, torch.zeros(5)).backward()
    assert text.grad.abs().sum() > 0
    at_teacher = anchor.clone().requires_grad_()
    DistillationLoss(anchor, 20.0)(images, at_teacher, torch.zeros(5)).backward()
    assert at_teacher.grad.abs().max() < 1e-12  # it is there already


def test_distance_and_divergence_are_torch_s_own(features):
    images, text, anchor = features
    assert float(mean_distance(text, anchor)) == pytest.approx(float(F.l1_loss(text, anchor)))
    logits, frozen = 20 * images @ text.T, 20 * images @ anchor.T
    slow = F.kl_div(logits.log_softmax(1), frozen.log_softmax(1), reduction="sum", log_target=True)
    assert float(mean_divergence(logits, frozen)) == pytest.approx(float(slow) / logits.numel())
    assert float(mean_divergence(frozen, frozen)) == pytest.approx(0, abs=1e-12)
