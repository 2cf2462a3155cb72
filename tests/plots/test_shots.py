"""Curves over shots: means over datasets, a level line for zero-shot CLIP."""

from pathlib import Path

import pytest
from run_records import record

from npt_plugin.plots.shots import accuracy_over_shots
from npt_plugin.runs.collect import Run
from npt_plugin.runs.units import Key, Unit


def few_shot(trainer, seed, dataset="dtd", **accuracies):
    runs = {
        part.removeprefix("n"): Run(Path(part), record(metrics={"accuracy": value}))
        for part, value in accuracies.items()
    }
    return Unit(Key(1.0, dataset, trainer, "", None), seed, runs)


def test_a_point_is_the_mean_over_datasets_and_seeds():
    units = [
        few_shot("CoOp", 1, "a", n1=50.0, n4=60.0),
        few_shot("CoOp", 1, "b", n1=70.0, n4=90.0),
        few_shot("CoOp", 2, "a", n1=10.0),  # not on b: not in the mean
        few_shot("ZeroshotCLIP", 1, "a", n1=40.0),
        few_shot("ZeroshotCLIP", 1, "b", n1=60.0),
    ]
    (axis,) = accuracy_over_shots(units).axes
    level, curve = axis.lines[0], axis.containers[0].lines[0]
    assert set(level.get_ydata()) == {50.0}
    assert curve.get_xdata().tolist() == [1, 4]
    assert curve.get_ydata().tolist() == pytest.approx([60.0, 75.0])


def test_no_bar_hides_another():
    units = [few_shot(name, seed, n4=50.0 + seed) for name in ("CoOp", "MaPLe") for seed in (1, 2)]
    (axis,) = accuracy_over_shots(units).axes
    left, right = (float(c.lines[0].get_xdata()[0]) for c in axis.containers)
    assert left < 4 < right and left * right == pytest.approx(16)
