"""A point a run, relative to its dataset, with the correlation of what is shown."""

import pytest

from npt_plugin.errors import UserError
from npt_plugin.evaluation.correlation import correlation
from npt_plugin.plots.collapse import accuracy_against_collapse


def nc(value):
    return {"nc3_distance": value, "etf_distance_text": 2.0}


def points(axis):
    return [tuple(p.get_offsets()[0]) for p in axis.collections]


def test_several_datasets_are_shown_relative_to_their_means(unit):
    units = [
        unit("CoOp", 1, 60, 40, "a", nc=nc(1.0)),
        unit("CoOp", 2, 60, 50, "a", nc=nc(3.0)),
        unit("CoOp", 1, 60, 90, "b", nc=nc(1.0)),
        unit("CoOp", 2, 60, 90, "b"),  # an old record, without the metrics
    ]
    assert points(accuracy_against_collapse(units).axes[0]) == [(-1, -5), (1, 5), (0, 0)]
    figure = accuracy_against_collapse(units[:2])
    assert points(figure.axes[0]) == [(1, 40), (3, 50)] and len(figure.legends) == 1


def test_datasets_have_shapes_and_trainers_colours(unit):
    units = [unit(t, 1, 60, 40, d, nc=nc(1.0)) for t in ("CoOp", "NPT_CoOp") for d in "ab"]
    figure = accuracy_against_collapse(units)
    drawn = figure.axes[0].collections
    assert len({p.get_paths()[0].vertices.tobytes() for p in drawn}) == 2
    assert len({tuple(p.get_facecolor()[0]) for p in drawn}) == 2
    names = [[text.get_text() for text in legend.get_texts()] for legend in figure.legends]
    assert names == [["CoOp", "NPT_CoOp"], ["a", "b"]]


def test_r_is_that_of_the_points(unit):
    data = [(1.0, 40), (2.0, 50), (3.0, 45), (4.0, 60), (5.0, 52)]
    units = [unit("CoOp", i, 60, y, nc=nc(x)) for i, (x, y) in enumerate(data)]
    left, right = accuracy_against_collapse(units).axes
    r, low, high = correlation(*zip(*data, strict=True))
    assert left.get_title() == f"pooled r {r:.2f} [{low:.2f}, {high:.2f}], 5 runs"
    assert right.get_title() == "5 runs: too few for a correlation, or one does not vary"


def test_one_run_beside_several_taus_is_one_point(unit):
    units = [unit("ZeroshotCLIP", 1, 60, 40, ratio=tau, nc=nc(1.0)) for tau in (0.06, 1.0)]
    assert len(points(accuracy_against_collapse(units).axes[0])) == 1


def test_without_metrics_it_is_one_sentence(unit):
    with pytest.raises(UserError, match="no neural-collapse metrics"):
        accuracy_against_collapse([unit("CoOp", 1, 60, 40)])
