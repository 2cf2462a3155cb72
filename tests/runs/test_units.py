"""Which runs make a unit, and which of two spellings counts."""

from pathlib import Path

from run_records import record

from npt_plugin.runs.collect import PlacedRun
from npt_plugin.runs.layout import Place
from npt_plugin.runs.units import Key, group, ranked


class Halves:
    """Two parts that belong together."""

    independent = False

    def part(self, place):
        return place.part or None

    def row(self, place):
        return Key(place.ratio, place.dataset, place.trainer, place.config, place.shots)

    def lacking(self, parts):
        return "" if {*parts} >= {"a", "b"} else "a part"


class Alone(Halves):
    """Parts that were trained by themselves."""

    independent = True

    def lacking(self, parts):
        return ""


def run(part, seed=1, spelled="ratio_1"):
    place = Place("base2new", part, "pets", 16, 1.0, "CoOp", "cfg", seed)
    folder = Path(part) / "shots_16" / spelled / "CoOp/cfg" / f"seed{seed}"
    return PlacedRun(folder, record(metrics={"accuracy": 1.0}), place, spelled == "ratio_1")


def test_a_unit_is_one_seed_of_one_row():
    runs = [run("a", 1), run("b", 1), run("a", 2), run("b", 2), run("", 3)]
    units, twins = group(runs, Halves())
    assert [unit.seed for unit in units] == [1, 2] and not twins
    assert units[0].runs == {"a": runs[0], "b": runs[1]}
    assert units[0].metrics("a") == {"accuracy": 1.0}


def test_an_incomplete_unit_does_not_count():
    assert group([run("a")], Halves()) == ([], [])


def test_of_two_complete_spellings_todays_counts():
    old = [run(part, spelled="ratio_1.0") for part in "ab"]
    new = [run(part) for part in "ab"]
    for runs in (old + new, new + old):
        (unit,), twins = group(runs, Halves())
        assert list(unit.runs.values()) == new
        assert [(pair.shown, pair.other) for pair in twins] == list(zip(new, old, strict=True))


def test_a_complete_old_spelling_counts_before_half_of_todays():
    old = [run(part, spelled="ratio_1.0") for part in "ab"]
    (unit,), twins = group([run("a"), *old], Halves())
    assert list(unit.runs.values()) == old and not twins  # never one half of each


def test_independent_parts_may_be_of_both_spellings():
    runs = [run("a"), run("a", spelled="ratio_1.0"), run("b", spelled="ratio_1.0")]
    (unit,), (pair,) = group(runs, Alone())
    assert unit.runs == {"a": runs[0], "b": runs[2]}
    assert (pair.shown, pair.other) == (runs[0], runs[1])


def test_rows_are_ranked_datasets_first_averages_last_zero_shot_first():
    keys = [
        Key(1.0, "average", "CoOp", "a", over=("pets", "zebra")),
        Key(1.0, "zebra", "CoOp", "a"),
        Key(1.0, "pets", "NPT_CoOp", "a"),
        Key(1.0, "pets", "CoOp", "a"),
        Key(1.0, "pets", "ZeroshotCLIP", "a"),
        Key(0.06, "pets", "CoOp", "a"),
    ]
    assert ranked(keys) == [keys[5], keys[4], keys[3], keys[2], keys[1], keys[0]]
