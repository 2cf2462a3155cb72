"""The verdict on made-up records: inside, outside, on one side, partial, not the preset."""

import pytest

from npt_plugin.reproduction.comparing import compare
from npt_plugin.reproduction.verdict import (
    NO_PRESET,
    NOT_REPRODUCED,
    NOTHING,
    PARTLY_INSIDE,
    PARTLY_OUTSIDE,
    REPRODUCED,
    verdict_of,
)


@pytest.fixture
def judge(table, jobs, presets):
    return lambda: verdict_of(compare(table, jobs, presets))


def test_the_published_numbers_are_reproduced(judge, published_runs):
    verdict = judge()
    assert verdict.word == REPRODUCED and verdict.good
    assert verdict.text.startswith("18 of 18 figures inside; 2 of 12 single ones may be outside")


def test_no_run_is_nothing_to_judge(judge):
    assert judge().word == NOTHING and not judge().good


@pytest.mark.parametrize("off, word", [(1.5, REPRODUCED), (3.0, NOT_REPRODUCED)])
def test_one_dataset_may_be_off_as_far_as_the_averages_are_inside(
    judge, published_runs, put, off, word
):
    for seed in (1, 2, 3):
        put("dtd", "CoOp", seed, 80 - off, 40)  # tolerance of the single one 1.63, average 1.15
    assert judge().word == word


def test_an_average_outside_is_named_with_its_side(judge, published_runs, put):
    for seed in (1, 2, 3):
        put("dtd", "CoOp", seed, 84, 40)
        put("eurosat", "CoOp", seed, 93, 60)
    verdict = judge()
    assert verdict.word == NOT_REPRODUCED
    assert "averages outside: CoOp base +3.50 (± 1.15)" in verdict.text
    assert "2 above the published are" in verdict.text and "below" not in verdict.text


def test_zero_shot_has_no_spread_to_hide_in(judge, published_runs, put):
    put("dtd", "ZeroshotCLIP", 1, 51, 60)
    assert "ZeroshotCLIP base +0.50 (± 0.30)" in judge().text


def test_some_runs_give_a_partial_verdict_that_says_what_is_missing(judge, put):
    put("dtd", "CoOp", 1, 80, 40)
    verdict = judge()
    assert verdict.word == PARTLY_INSIDE and verdict.good
    assert "15 of 18 figures have no number of ours yet" in verdict.text
    assert "dtd CoOp seed 2, 3" in verdict.text and "eurosat CoOp seed 1, 2, 3" in verdict.text
    assert "3 figures are of fewer than 3 seeds (1)" in verdict.text
    put("dtd", "CoOp", 1, 70, 40)
    assert judge().word == PARTLY_OUTSIDE and not judge().good


def test_a_wrong_hyper_parameter_turns_the_verdict(judge, published_runs, put):
    put("dtd", "CoOp", 2, 80, 40, lr=0.02)
    verdict = judge()
    assert str(verdict) == "not the preset: OPTIM.LR: 0.002 -> 0.02"
    assert verdict.word == NO_PRESET and not verdict.good
