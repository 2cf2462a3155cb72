"""When a gradient is added to a host's features, and which features those are."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from npt_plugin.errors import UserError
from npt_plugin.hosts.capture import Regulariser

B, K, D = 4, 3, 5
BATCH = {}  # the labels come from a hook here; how else they are found: test_labels.py


def unit(x: torch.Tensor) -> torch.Tensor:
    return x / x.norm(dim=-1, keepdim=True)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


class Sum(nn.Module):
    """One term whose gradient is easy to write down."""

    def forward(self, outputs, labels):
        return {"term": outputs.logits.sum()}


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.image_encoder, self.text_encoder = nn.Linear(6, D), nn.Linear(7, D)

    def forward(self, images, texts):
        return self.image_encoder(images), self.text_encoder(texts)


@pytest.fixture
def world():
    """A model, its optimiser, inputs, and the gradient of its loss with and without the term."""
    model = Model().double()
    images, texts = torch.randn(B, 6).double(), torch.randn(K, 7).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loss():
        a, b = model(images, texts)
        return (a.square().sum() + b.square().sum()), (unit(a) @ unit(b).T).sum()

    def gradient(value):
        found = torch.autograd.grad(value, list(model.parameters()), retain_graph=True)
        return torch.cat([part.flatten() for part in found])

    return model, optimizer, loss, gradient


def taken(model):
    return torch.cat([p.grad.flatten() for p in model.parameters()])


@pytest.mark.parametrize("scale", [1.0, 512.0])
def test_the_terms_gradient_joins_in_backward(world, scale):
    model, optimizer, loss, gradient = world
    host, term = loss()
    wanted = gradient(host * scale + term * scale)
    regulariser = Regulariser(Sum(), K, lambda g: g * scale, lambda batch: torch.arange(B) % K)
    regulariser.attach(model)
    regulariser.watch(optimizer)
    optimizer.zero_grad()
    regulariser.begin(BATCH)
    (loss()[0] * scale).backward()
    terms = regulariser.end()
    torch.testing.assert_close(taken(model), wanted)  # all of it in float64
    torch.testing.assert_close(terms["term"], term.detach())


@pytest.mark.parametrize("clear, times", [(False, 1), (True, 2)])
def test_once_per_cleared_gradient(world, clear, times):
    """A second backward pass over the same graph adds the term again only after ``zero_grad``."""
    model, optimizer, loss, gradient = world
    host, term = loss()
    term_gradient = gradient(term)
    regulariser = Regulariser(Sum(), K, lambda g: g, lambda batch: torch.arange(B) % K)
    regulariser.attach(model)
    regulariser.watch(optimizer)
    optimizer.zero_grad()
    regulariser.begin(BATCH)
    value = loss()[0]
    plain = gradient(host)
    value.backward(retain_graph=True)
    first = taken(model)
    if clear:
        optimizer.zero_grad()
    before = torch.zeros_like(first) if clear else first
    value.backward()
    added = taken(model) - before
    torch.testing.assert_close(first, plain + term_gradient)
    torch.testing.assert_close(added, plain + (times - 1) * term_gradient)


def test_nothing_is_recorded_outside_of_a_step(world):
    model, _, loss, gradient = world
    plain = gradient(loss()[0])
    regulariser = Regulariser(Sum(), K, lambda g: g, lambda batch: torch.arange(B) % K)
    regulariser.attach(model)
    loss()[0].backward()
    assert torch.equal(taken(model), plain) and regulariser.end() == {}
    regulariser.begin(BATCH)
    assert regulariser.end() == {}  # no gradient passed


@pytest.mark.parametrize(
    "output, shown",
    [(torch.ones(2, 3, 4), r"\(2, 3, 4\)"), ({"x": 1}, "dict"), ((), "tuple"), (None, "NoneType")],
)
def test_an_encoder_must_give_one_feature_a_row(output, shown):
    regulariser = Regulariser(Sum(), K, lambda g: g, lambda batch: torch.arange(B) % K)
    regulariser.begin(BATCH)
    with pytest.raises(UserError, match=f"image_encoder returns {shown}; NPT needs one feature"):
        regulariser.record("image", output)


def test_the_first_of_a_tuple_is_the_feature():
    regulariser = Regulariser(Sum(), K, lambda g: g, lambda batch: torch.arange(B) % K)
    regulariser.begin(BATCH)
    feature = torch.randn(B, D)
    regulariser.record("image", (feature, "rest"))
    (seen,) = regulariser.step.calls
    assert torch.equal(seen.value, feature) and seen.rank == 1
