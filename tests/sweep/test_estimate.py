"""What a sweep will take, on paces made up for the test."""

import pytest

from npt_plugin.registration import register_all
from npt_plugin.runs.configs import configs_folder
from npt_plugin.sweep import estimate as module
from npt_plugin.sweep.estimate import Size, estimate
from npt_plugin.sweep.grid import Grid
from npt_plugin.sweep.pace import Pace

FROZEN = Pace(10.0, (1.0, 2.0), (0.5, 0.5), (10, 20), 4, 100, 512, True, 800.0)
LEARNS = Pace(10.0, (1.0, 1.0), (0.5, 0.5), (10, 20), 4, 100, 512, False, 900.0)


@pytest.fixture
def pets(monkeypatch):
    """A dataset of 20 classes, 100 test images."""
    register_all(base=True)
    monkeypatch.setattr(module, "size_of", lambda *_: Size(20, 400, 800, 100))


def sums(trainers, *options, **more):
    given = {"datasets": ["embedded_objects"], "seeds": [1, 2, 3], "ratios": [1.0], **more}
    grid = Grid(**given, trainers=trainers, options=options, config="tiny_ep50_ctxv1")
    learns = lambda job: LEARNS if job.trainer == "NPT_CoOp" else FROZEN  # noqa: E731
    return estimate(grid.jobs(), configs_folder(), learns)


def test_steps_are_those_of_shots_ratio_and_budget(pets):
    """10 base classes of 16 shots, 4 a batch, 50 epochs; at tau 0.25 fewer images."""
    assert sums(["CoOp"]).steps == 3 * 40 * 50
    assert sums(["CoOp"], "TRAIN.STEPS", "7").steps == 3 * 7
    skewed = sums(["CoOp"], ratios=[0.25])
    sizes = [16, 14, 12, 10, 9, 7, 6, 5, 5, 4]
    assert skewed.steps == 3 * (sum(sizes) // 4) * 50
    assert sums(["CoOp"], "TRAIN.STEPS", "-1", ratios=[0.25]).steps == 3 * 40 * 50


def test_a_long_tailed_set_is_taken_as_it_is(pets):
    """400 images, 800 before the imbalance of its yaml file; not thinned out once more."""
    long_tail = {"protocol": "long_tail", "datasets": ["cifar100_lt"]}
    assert sums(["CoOp"], **long_tail).steps == 3 * 100 * 50
    assert sums(["CoOp"], "TRAIN.STEPS", "-1", **long_tail).steps == 3 * 200 * 50


def test_a_step_costs_by_its_classes_and_a_frozen_tower_tests_once(pets):
    found = sums(["CoOp"])
    assert found.training == found.steps * 1.0 and found.runs == 6
    assert found.shared == (100, 300) and found.testing == 100 * 0.5
    both = sums(["CoOp", "NPT_CoOp"])
    assert both.testing == 100 * 0.5 + 300 * 0.5 and both.memory == 900.0


def test_a_dataset_of_unknown_size_is_named(pets, monkeypatch):
    monkeypatch.setattr(module, "size_of", lambda *_: None)
    found = sums(["CoOp"])
    assert found.unknown == ["embedded_objects"] and found.steps == 0


def test_paces_are_lines_that_never_fall():
    falling = Pace(0.0, (2.0, 1.0), (0.0, 0.0), (10, 20), 4, 1, 8, True, 0.0)
    assert [FROZEN.step_at(k) for k in (10, 20, 100)] == [1.0, 2.0, 10.0]
    assert falling.step_at(1000) == 2.0


def test_sizes_are_those_of_the_copy_at_hand(tmp_path):
    register_all(base=True)
    found = module.size_of("embedded_objects", str(tmp_path), configs_folder())
    assert found.classes == 32 and found.test > 0
