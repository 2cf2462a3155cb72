"""The share of NPT's terms that a class of n_k images gets, against plain loops over classes."""

import pytest
import torch
import torch.nn.functional as F
from objective_cases import config
from tolerance import DOUBLE

from npt_plugin.errors import UserError
from npt_plugin.geometry import nearest_etf
from npt_plugin.losses import build_objective
from npt_plugin.losses.collapse import COLLAPSE_FORMS, CollapseLoss
from npt_plugin.losses.isomorphism import ISOMORPHISM_FORMS, IsomorphismLoss
from npt_plugin.losses.shrinkage import shrinkage_weights

pytestmark = pytest.mark.numerics

K, D = 5, 8
LABELS = torch.tensor([0, 0, 0, 2, 3, 3, 1])  # class 4 absent
WHOLE = {"nc2", "nc3"}
"""One number for all classes."""


def batch():
    torch.manual_seed(0)
    images = F.normalize(torch.randn(len(LABELS), D, dtype=torch.float64) + 0.3, dim=1)
    text = F.normalize(torch.randn(K, D, dtype=torch.float64) + 0.3, dim=1)
    return images, text.requires_grad_()


def terms(weights):
    """Every form of both losses, by name."""
    torch.manual_seed(9)
    target = nearest_etf(torch.randn(K, D, dtype=torch.float64))
    made = {f"lc {f}": CollapseLoss(f, True, 0.1, target, None, weights) for f in COLLAPSE_FORMS}
    for form in ISOMORPHISM_FORMS:
        made[f"mi {form}"] = IsomorphismLoss(form, K, True, 0.0, target, weights)
    return made


@pytest.mark.parametrize("name", terms(None))
def test_the_term_is_the_sum_of_its_classes_parts(name):
    """Linear in v: the value for v is sum_k v_k times the value for the k-th unit vector."""
    images, text = batch()
    v = torch.tensor([0.5, 0.25, 1.0, 0.125, 0.75], dtype=torch.float64)
    parts = torch.stack([terms(row)[name](images, text, LABELS) for row in torch.eye(K).double()])
    plain = terms(None)[name](images, text, LABELS)
    assert torch.allclose(terms(v)[name](images, text, LABELS), v @ parts, rtol=0, atol=DOUBLE)
    assert torch.allclose(parts.sum(), plain, rtol=0, atol=DOUBLE)
    if name[3:] in WHOLE:
        assert torch.allclose(parts, plain / K, rtol=0, atol=DOUBLE)
    (gradient,) = torch.autograd.grad(terms(v)[name](images, text, LABELS), text)
    wanted = torch.autograd.grad(v @ parts, text)[0]
    assert torch.allclose(gradient, wanted, rtol=0, atol=DOUBLE)


def test_the_parts_are_those_of_the_right_classes():
    """Of pull and the anchored collapse by hand; of the others the classes without images."""
    images, text = batch()
    text = text.detach()
    for k in range(K):
        row = torch.eye(K)[k].double()
        mine = [h for h, y in zip(images, LABELS.tolist(), strict=True) if y == k]
        pulls = sum(1 - float(h @ text[k]) for h in mine) / max(1, len(mine)) / 4  # classes present
        made = terms(row)
        assert float(made["mi pull"](images, text, LABELS)) == pytest.approx(pulls, abs=1e-12)
        middle = text.mean(0)
        unit = (text[k] - middle) / (text[k] - middle).norm()
        apart = (1 - float(unit @ made["lc anchored"].target[k])) / K
        assert float(made["lc anchored"](images, text, LABELS)) == pytest.approx(apart, abs=1e-12)
    absent = terms(torch.eye(K)[4].double())
    for form in set(ISOMORPHISM_FORMS) - WHOLE:
        assert float(absent[f"mi {form}"](images, text, LABELS)) == 0


def test_weights_are_those_of_a_mean_with_a_prior():
    """n0 prior observations at 0 and n_k at 1 have the mean n_k / (n0 + n_k)."""
    counts, n0 = torch.tensor([100, 16, 4, 1]), 16
    for n, share in zip(counts.tolist(), shrinkage_weights(counts, n0).tolist(), strict=True):
        values = [0.0] * n0 + [1.0] * n
        rounding = 2 * torch.finfo(torch.float32).eps  # of a quotient below 1
        assert 1 - share == pytest.approx(sum(values) / len(values), abs=rounding)
    assert shrinkage_weights(counts, 0) is None


def test_the_config_says_how_many_images_the_geometry_is_worth():
    outputs_of = torch.nn.functional.normalize
    zero_shot = outputs_of(torch.randn(3, 4), dim=1)
    counts = torch.tensor([16, 4, 1])
    plain = build_objective(config(PRIOR_COUNT=0.0), counts, zero_shot)
    assert all(term.class_weights is None for term in plain.terms.values())
    shrunk = build_objective(config(PRIOR_COUNT=4.0), counts, zero_shot)
    for term in shrunk.terms.values():
        assert torch.equal(term.class_weights, torch.tensor([0.2, 0.5, 0.8]))
    with pytest.raises(UserError, match=r"TRAINER\.NPT\.PRIOR_COUNT is -1"):
        build_objective(config(PRIOR_COUNT=-1.0), counts, zero_shot)
