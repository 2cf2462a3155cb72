"""Which calls count, and which rows, prompts and labels belong together."""

from __future__ import annotations

import pytest
import torch

from npt_plugin.errors import UserError
from npt_plugin.hosts.step_features import Seen, StepFeatures

B, K, D = 4, 3, 5


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
    with pytest.raises(
        UserError, match=f"{tower}_encoder was not called.*TRAINER.NPT.AT to .logits"
    ):
        step_of(other[tower]).outputs()
