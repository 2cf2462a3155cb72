"""Flat maps: every image and text, head and tail by colour and name."""

import dataclasses

import pytest
import torch
from run_records import record
from tolerance import DOUBLE, gap

from npt_plugin.plots.feature_map import _some, feature_map
from npt_plugin.plots.style import COLOURS

GROUP = {16: "many", 5: "medium", 1: "few"}


def run_of(counts, **more):
    classes = [{"name": f"class_{i}", "train": n, "group": GROUP[n]} for i, n in enumerate(counts)]
    return record(per_class=classes, **more)


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_every_image_and_every_text_is_there(kept, method):
    labels = torch.arange(40) % 9
    figure = feature_map(kept(torch.zeros(40, 9), labels), run_of([16] * 9), method)
    sizes = [len(points.get_offsets()) for points in figure.axes[0].collections]
    assert sizes[1::2] == [1] * 9 and sum(sizes[::2]) == 40


def test_head_and_tail_are_named_and_coloured(kept):
    counts = [5, 16, 1, 16, 5, 1, 16, 1, 5]
    figure = feature_map(kept(torch.zeros(18, 9), torch.arange(18) % 9), run_of(counts))
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == [
        *(f"class {i}, 16 images" for i in (1, 3, 6)),
        *(f"class {i}, 1 image" for i in (2, 5, 7)),
        *(f"other {group}-shot" for group in ("many", "medium", "few")),
    ]
    colours = [handle.get_color() for handle in figure.legends[0].legend_handles]
    assert colours[:6] == [COLOURS[0]] * 3 + [COLOURS[2]] * 3


def test_classes_that_were_not_trained_on_have_no_frequency(kept):
    figure = feature_map(
        kept(torch.zeros(18, 9), torch.arange(18) % 9), run_of([16] * 9, classes="new")
    )
    legend = figure.legends[0]
    assert legend.get_title().get_text() == "the first classes"
    assert {handle.get_color() for handle in legend.legend_handles} == {"0.55"}


def test_of_many_images_every_nth_is_drawn():
    assert len(_some(1500)) == 1500 and _some(1501).tolist()[:3] == [0, 2, 4]
    assert len(_some(10_000)) <= 1500


@pytest.mark.numerics
def test_pca_keeps_the_distances_of_two_dimensional_features(kept):
    logits, labels = torch.zeros(6, 2), torch.tensor([0, 0, 0, 1, 1, 1])
    predictions = kept(logits, labels)
    flat = torch.zeros(6, 8)
    flat[:, :2] = torch.tensor([[0.0, 0], [1, 0], [2, 0], [0, 1], [0, 2], [0, 3]])
    predictions = dataclasses.replace(
        predictions, image_features=flat, text_features=torch.zeros(2, 8)
    )
    drawn = feature_map(predictions, run_of([16, 1])).axes[0].collections
    points = torch.cat([torch.tensor(drawn[i].get_offsets().tolist()) for i in (0, 2)])
    found, expected = torch.cdist(points, points), torch.cdist(flat, flat)
    assert gap(found, expected) <= DOUBLE
