"""Paired differences, and runs below zero-shot CLIP."""

import pytest

from npt_plugin.evaluation.averages import harmonic_mean
from npt_plugin.report.averaging import H_OF_AVERAGES, MEAN_OF_H
from npt_plugin.report.differences import below_zero_shot, paired_differences
from npt_plugin.report.protocols import BASE_TO_NEW
from npt_plugin.report.table import add_averages
from npt_plugin.runs.units import Key
from npt_plugin.runs.variants import Method

COLUMNS = ("base", "new", "H")


def row(values):
    return {s: {"base": b, "new": n, "H": harmonic_mean(b, n)} for s, (b, n) in values.items()}


def test_differences_are_paired_by_seed():
    rows = {
        Key(0.06, "pets", "CoOp", "a"): row({1: (50, 50), 2: (60, 50), 9: (0, 0)}),
        Key(0.06, "pets", "NPT_CoOp", "a"): row({1: (51, 50), 2: (63, 50), 3: (99, 99)}),
        Key(0.06, "pets", "NPT_MaPLe", "a"): row({1: (51, 50)}),
        Key(1.0, "pets", "NPT_CoOp", "a"): row({1: (51, 50)}),
    }
    (found,) = paired_differences(BASE_TO_NEW, rows, COLUMNS)
    assert found["seeds"] == [1, 2] and found["base_values"] == [1, 3]
    assert found["base"] == 2 and found["comparison"] == "NPT_CoOp - CoOp"
    # t(0.975, 1) = 12.706; the sd of 1 and 3 is sqrt 2, over sqrt 2 seeds
    assert found["base_interval"] == pytest.approx((2 - 12.7062, 2 + 12.7062), abs=1e-4)


def averaged(ours, theirs):
    rows = {Key(0.06, name, "NPT_CoOp", "a"): row({1: v}) for name, v in ours.items()}
    rows |= {Key(0.06, name, "CoOp", "a"): row({1: v}) for name, v in theirs.items()}
    return add_averages(rows, BASE_TO_NEW.rules)


def test_averages_are_compared_by_each_rule():
    rows = averaged({"pets": (90, 30), "cars": (60, 60)}, {"pets": (80, 20), "cars": (50, 70)})
    found = {d["dataset"]: d for d in paired_differences(BASE_TO_NEW, rows, COLUMNS)}
    assert found[H_OF_AVERAGES.name]["H"] == pytest.approx(
        harmonic_mean(75, 45) - harmonic_mean(65, 45)
    )
    assert found[MEAN_OF_H.name]["H"] == pytest.approx(
        (found["pets"]["H"] + found["cars"]["H"]) / 2
    )
    assert found[MEAN_OF_H.name]["H"] != pytest.approx(found[H_OF_AVERAGES.name]["H"], abs=0.1)


def test_averages_over_other_datasets_are_not_compared():
    rows = averaged(
        {"pets": (90, 30), "cars": (60, 60)}, {"pets": (80, 20), "cars": (50, 70), "dtd": (1, 1)}
    )
    found = [d["dataset"] for d in paired_differences(BASE_TO_NEW, rows, COLUMNS)]
    assert found == ["cars", "pets"]


def test_a_column_that_one_side_lacks_has_no_difference():
    rows = {
        Key(1.0, "pets", "CoOp", "a"): {1: {"few": None}, 2: {"few": 50.0}},
        Key(1.0, "pets", "NPT_CoOp", "a"): {1: {"few": 50.0}, 2: {"few": 52.0}},
    }
    (found,) = paired_differences(BASE_TO_NEW, rows, ("few",))
    assert found["few"] == 2.0 and found["few_values"] == [2.0] and found["n"] == 2
    del rows[Key(1.0, "pets", "CoOp", "a")][2]
    (found,) = paired_differences(BASE_TO_NEW, rows, ("few",))
    assert found["few"] is None and found["few_interval"] is None


def test_runs_below_zero_shot_are_flagged_whatever_the_mean():
    zero, ours = Key(0.06, "pets", "ZeroshotCLIP", "a"), Key(0.06, "pets", "CoOp", "a")
    rows = {zero: row({1: (50, 50)}), ours: row({1: (10, 60), 2: (99, 50), 3: (50, 50)})}
    same = {zero: "ViT-B/16", ours: "ViT-B/16"}
    (flag,) = below_zero_shot(rows, ("base", "H"), same)
    assert flag["seed"] == 1 and set(flag["below"]) == {"base", "H"}
    assert below_zero_shot(rows, (), same) == []
    assert below_zero_shot(rows, ("base", "H"), {**same, ours: "RN50"}) == []


def test_a_named_reference_is_compared_with_all_others():
    """Whatever their configs; the variant of a trainer is another method."""
    rows = {
        Key(0.06, "pets", "CoOp", "a"): row({1: (50, 50), 2: (60, 50)}),
        Key(0.06, "pets", "CoOp", "a+OPTIM.LR=0.1"): row({1: (52, 50), 2: (62, 50)}),
        Key(0.06, "pets", "NPT_CoOp", "a"): row({1: (51, 50), 2: (63, 50)}),
        Key(0.06, "pets", "MaPLe", "b"): row({2: (59, 50)}),
        Key(1.0, "pets", "MaPLe", "b"): row({2: (59, 50)}),
    }
    found = paired_differences(BASE_TO_NEW, rows, COLUMNS, Method("CoOp"))
    assert {row["comparison"]: row["base_values"] for row in found} == {
        "CoOp:lr=0.1 - CoOp": [2, 2],
        "NPT_CoOp - CoOp": [1, 3],
        "MaPLe - CoOp": [-1],
    }
    found = paired_differences(BASE_TO_NEW, rows, COLUMNS, Method.parse("CoOp:lr=0.1"))
    assert [row["comparison"] for row in found] == [
        "CoOp - CoOp:lr=0.1",
        "MaPLe - CoOp:lr=0.1",
        "NPT_CoOp - CoOp",
        "NPT_CoOp - CoOp:lr=0.1",
    ]


def test_averages_of_a_variant_are_its_own():
    variant = "+OPTIM.LR=0.1"
    rows = {
        Key(1.0, name, "CoOp", f"{config}{suffix}"): row({1: (value, value)})
        for name, config in (("pets", "a"), ("cars", "b"))
        for suffix, value in (("", 50), (variant, 60))
    }
    made = add_averages(rows, BASE_TO_NEW.rules)
    averages = {key.config: values[1]["H"] for key, values in made.items() if key.over}
    assert averages == {"a, b": 50, f"a, b{variant}": 60}
