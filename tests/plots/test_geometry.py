"""Gram matrices and flat maps of features."""

import pytest
import torch
from tolerance import DOUBLE, SINGLE, gap

from npt_plugin.geometry import simplex_etf
from npt_plugin.plots.geometry import feature_map, text_gram


@pytest.mark.numerics
def test_the_gram_of_an_etf_is_the_target():
    vertices = simplex_etf(4, 8)
    vertices = vertices if vertices.shape == (4, 8) else vertices.T
    figure = text_gram(torch.randn(4, 8), vertices, list("abcd"))
    drawn = [torch.tensor(axis.images[0].get_array().tolist()) for axis in figure.axes[:3]]
    assert gap(drawn[1], drawn[2]) <= SINGLE  # the target is kept in float32


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_a_map_has_every_image_and_every_text_of_the_classes_shown(kept, method):
    labels = torch.arange(40) % 9  # nine classes, of which seven are shown
    figure = feature_map(kept(torch.zeros(40, 9), labels), method)
    sizes = [len(points.get_offsets()) for points in figure.axes[0].collections]
    assert sizes[1::2] == [1] * 7 and sizes[::2] == [5, 5, 5, 5, 4, 4, 4]


@pytest.mark.numerics
def test_pca_keeps_the_distances_of_two_dimensional_features(kept):
    logits, labels = torch.zeros(6, 2), torch.tensor([0, 0, 0, 1, 1, 1])
    predictions = kept(logits, labels)
    flat = torch.zeros(6, 8)
    flat[:, :2] = torch.tensor([[0.0, 0], [1, 0], [2, 0], [0, 1], [0, 2], [0, 3]])
    predictions.image_features.copy_(flat)
    predictions.text_features.zero_()
    drawn = feature_map(predictions).axes[0].collections
    points = torch.cat([torch.tensor(drawn[i].get_offsets().tolist()) for i in (0, 2)])
    found, expected = torch.cdist(points, points), torch.cdist(flat, flat)
    assert gap(found, expected) <= DOUBLE
