"""Our numbers beside the published ones."""

import pytest

from npt_plugin.reproduction.comparing import (
    ABOVE,
    BELOW,
    INSIDE,
    MISSING,
    Compared,
    compare,
    drifts_of,
)
from npt_plugin.reproduction.figures import Figure
from npt_plugin.runs.layout import Place

FIGURE = Figure("CoOp", 1.0, "dtd", "base", 80.0, 3, "nowhere")


@pytest.mark.parametrize(
    "ours, verdict",
    [(80.0, INSIDE), (81.0, INSIDE), (79.0, INSIDE), (81.01, ABOVE), (78.99, BELOW)],
)
def test_the_ends_of_the_tolerance_are_inside(ours, verdict):
    assert Compared(FIGURE, ours, 0.1, 3, 1.0).verdict == verdict
    assert Compared(FIGURE).verdict == MISSING


def test_means_spreads_and_seeds(table, jobs, published_runs, presets):
    figures = compare(table, jobs, presets).figures
    found = {(c.figure.trainer, c.figure.dataset, c.figure.column): c for c in figures}
    base = found["CoOp", "dtd", "base"]
    assert (base.ours, base.sd, base.n) == (80.0, 1.0, 3)
    average = found["CoOp", "average", "H"]  # of the averages: not the mean of 53.33 and 72
    assert average.ours == pytest.approx(2 * 85 * 50 / 135) and average.n == 3


def test_an_average_of_some_of_the_datasets_is_none(table, jobs, put, presets):
    put("dtd", "CoOp", 1, 80, 40)
    figures = compare(table, jobs, presets).figures
    assert [c.figure.dataset for c in figures if c.ours is not None] == ["dtd"] * 3


def test_runs_of_other_configs_and_seeds_are_not_of_the_table(table, jobs, put, tmp_path, presets):
    put("dtd", "CoOp", 9, 10, 10)
    other = Place("base2new", "train_base", "dtd", 16, 1.0, "CoOp", "other", 1).folder(tmp_path)
    other.mkdir(parents=True)
    assert compare(table, jobs, presets).runs == []


def test_drifts_name_the_runs_that_have_them(jobs, presets):
    steps = [job.steps()[0] for job in jobs if job.trainer == "CoOp"]
    found = drifts_of(presets, [(step, {"OPTIM": {"LR": 0.1}}) for step in steps])
    assert found == {"OPTIM.LR: 0.002 -> 0.1": ["dtd CoOp", "eurosat CoOp"]}
    assert drifts_of(presets, [(steps[0], {})]) == {"the config is not recorded": ["dtd CoOp"]}
