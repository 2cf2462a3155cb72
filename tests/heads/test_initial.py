"""Where the rows of a head start."""

import pytest
import torch
import torch.nn.functional as F

from npt_plugin.heads.initial import (
    class_mean_rows,
    random_cosine_rows,
    random_linear_rows,
    semantic_rows,
)

pytestmark = pytest.mark.numerics

K, D, W = 4, 6, 8


def test_semantic_rows_give_an_unprojected_feature_the_projected_inner_product():
    torch.manual_seed(0)
    text, projection = F.normalize(torch.randn(K, D), dim=-1), torch.randn(W, D)
    feature = torch.randn(W)
    rows = semantic_rows(text, projection)
    assert rows.shape == (K, W)
    torch.testing.assert_close(rows.norm(dim=-1), torch.ones(K))
    for c in range(K):
        mapped = projection @ text[c]  # (W,)
        inner = (feature @ projection) @ text[c]
        torch.testing.assert_close(rows[c] @ feature * mapped.norm(), inner)
    assert torch.equal(semantic_rows(text, None), text)


def test_class_means_count_every_image_as_a_direction():
    features = torch.tensor([[10.0, 0.0], [0.0, 0.1], [3.0, 4.0]])
    rows = class_mean_rows(features, torch.tensor([1, 1, 0]), 2)
    torch.testing.assert_close(rows, torch.tensor([[0.6, 0.8], [0.5**0.5, 0.5**0.5]]))


def test_random_rows_are_cut_at_two_deviations():
    rows = random_cosine_rows(200, 100)
    assert rows.abs().max() <= 0.04 and 0.016 < rows.std() < 0.019


def test_class_means_do_not_depend_on_how_often_an_image_is_seen_alone():
    torch.manual_seed(0)
    features, labels = torch.randn(9, D), torch.arange(9) % 3
    rows = class_mean_rows(features, labels, 3)
    for c in range(3):
        directions = [f / f.norm() for f, y in zip(features, labels, strict=True) if y == c]
        mean = sum(directions) / 3
        torch.testing.assert_close(rows[c], mean / mean.norm())
    shuffled = torch.randperm(9)
    torch.testing.assert_close(class_mean_rows(features[shuffled], labels[shuffled], 3), rows)


def test_linear_rows_start_as_pytorch_s_linear_layer_does():
    torch.manual_seed(3)
    rows = random_linear_rows(200, 100)
    torch.manual_seed(3)
    layer = torch.nn.Linear(100, 200)
    assert rows.shape == (200, 100) and rows.abs().max() <= 0.1
    torch.testing.assert_close(rows, layer.weight.data)
