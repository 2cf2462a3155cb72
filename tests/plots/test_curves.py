"""Curves over the epochs, and the sentence where there are none."""

import pytest
from run_records import record

from npt_plugin.errors import UserError
from npt_plugin.plots.curves import collapse_curves, training_curves

NC = {"nc1_image": 3.0, "etf_distance_text": 1.0, "nc3_distance": 0.5, "nc4_agreement": 0.9}


def trained(**more):
    history = [
        {"epoch": e, "loss": 2.0 / e, "lc": 0.1, "acc": 50.0 + e, "lr": 0.1, **more} for e in (1, 2)
    ]
    return record(history=history)


def test_every_loss_term_has_a_line():
    left, right, rate = training_curves(trained()).axes
    lines = {line.get_label(): line.get_ydata().tolist() for line in left.lines}
    assert lines == {"loss": [2.0, 1.0], "lc": [0.1, 0.1]}
    assert right.lines[0].get_ydata().tolist() == [51.0, 52.0]
    assert rate.lines[0].get_ydata().tolist() == [0.1, 0.1]


def test_four_metrics_have_a_panel_each():
    figure = collapse_curves(trained(nc=NC))
    assert [axis.lines[0].get_ydata()[0] for axis in figure.axes] == [3.0, 1.0, 0.5, 0.9]


def test_what_a_run_did_not_keep_is_said():
    with pytest.raises(UserError, match="TEST.NC_PER_EPOCH 1"):
        collapse_curves(trained())
    with pytest.raises(UserError, match="no training epochs"):
        training_curves(record(history=[]))
