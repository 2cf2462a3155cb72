"""Which encoder calls count, which rows belong together, and when a gradient is added."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from npt_plugin.errors import UserError
from npt_plugin.hosts.capture import Regulariser, Seen, StepFeatures

B, K, D = 4, 3, 5
BATCH = {}  # the labels come from a hook here; how else they are found: test_labels.py


def unit(x: torch.Tensor) -> torch.Tensor:
    return x / x.norm(dim=-1, keepdim=True)


def step_of(*calls: tuple[str, torch.Tensor, int], labels: torch.Tensor | None = None):
    labels = torch.arange(B) % K if labels is None else labels
    step = StepFeatures(lambda step: labels, K)
    step.calls = [Seen(tower, value, rank) for tower, value, rank in calls]
    return step


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize(
    "ranks, counted",
    [
        ([2, 1, 0, 2], [0, 3]),  # the trained path
        ([1, 0, 1], [0, 2]),  # a frozen tower
        ([0, 0], [0, 1]),  # all under no_grad
        ([], []),
    ],
)
def test_a_teacher_never_mixes_with_the_trained_path(ranks, counted):
    step = step_of(*(("image", torch.ones(B, D), rank) for rank in ranks))
    step.calls.append(Seen("text", torch.ones(K, D), 2))
    assert step.trained_path("image") == [step.calls[i] for i in counted]


def test_one_set_of_prompts():
    images, text = torch.randn(B, D), torch.randn(K, D)
    outputs, labels = step_of(("image", images, 1), ("text", text, 2)).outputs()
    torch.testing.assert_close(outputs.image_features, unit(images))
    torch.testing.assert_close(outputs.logits, unit(images) @ unit(text).T)
    assert outputs.text_features.shape == (K, D) and labels.tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize("calls", [1, B])
def test_a_set_for_each_image_in_one_call_or_in_many(calls):
    images, text = torch.randn(B, D), torch.randn(B * K, D)
    parts = [("text", part, 2) for part in text.chunk(calls)]
    outputs, _ = step_of(("image", images, 1), *parts).outputs()
    for n in range(B):
        own = unit(text[n * K : (n + 1) * K])
        torch.testing.assert_close(outputs.text_features[n], own)
        torch.testing.assert_close(outputs.logits[n], own @ unit(images[n]))


def test_several_sets_are_averaged():
    images, text = torch.randn(B, D), torch.randn(2 * K, D)
    outputs, _ = step_of(("image", images, 1), ("text", text, 2)).outputs()
    mean = unit((unit(text[:K]) + unit(text[K:])) / 2)
    torch.testing.assert_close(outputs.text_features, mean)


@pytest.mark.parametrize("rows, texts", [(B + 1, K), (B, K + 1), (B, K - 1)])
def test_rows_that_fit_nothing_are_refused(rows, texts):
    step = step_of(("image", torch.randn(rows, D), 2), ("text", torch.randn(texts, D), 2))
    wanted = f"text_encoder gave {texts} rows" if texts != K else f"{rows} features for {B} images"
    with pytest.raises(UserError, match=wanted):
        step.outputs()


@pytest.mark.parametrize("tower", ["image", "text"])
def test_a_tower_that_was_not_called_is_named(tower):
    other = {"image": ("text", torch.randn(K, D), 2), "text": ("image", torch.randn(B, D), 2)}
    with pytest.raises(UserError, match=f"{tower}_encoder was not called"):
        step_of(other[tower]).outputs()


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
