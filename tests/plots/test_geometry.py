"""Gram matrices of texts."""

import pytest
import torch
from run_records import record
from tolerance import SINGLE, gap

from npt_plugin.geometry import simplex_etf
from npt_plugin.plots.geometry import text_gram


@pytest.mark.numerics
def test_the_gram_of_an_etf_is_the_target():
    vertices = simplex_etf(4, 8)
    vertices = vertices if vertices.shape == (4, 8) else vertices.T
    figure = text_gram(torch.randn(4, 8), vertices, list("abcd"), record())
    drawn = [torch.tensor(axis.images[0].get_array().tolist()) for axis in figure.axes[:3]]
    assert gap(drawn[1], drawn[2]) <= SINGLE  # the target is kept in float32
