"""What the report says besides its tables."""

import pytest

from npt_plugin.report import notes
from npt_plugin.report.protocols import BASE_TO_NEW
from npt_plugin.report.results import results_of
from npt_plugin.runs.collect import find_runs
from npt_plugin.runs.layout import Place


def results(output):
    return results_of(BASE_TO_NEW, find_runs(output))


def test_weak_runs_are_named(runs):
    assert results(runs).notes == [
        "Below zero-shot CLIP: oxford_pets, tau 0.06, CoOp, seed 1: base 70.0 < 71.0, H 64.6 < 65.0"
    ]


def test_weak_seeds_of_a_row_are_one_line(tmp_path, write_pair):
    write_pair("oxford_pets", "ZeroshotCLIP", 1, 70.0, 60.0)
    for seed, (base, new) in enumerate([(50.0, 65.0), (72.0, 40.0), (69.0, 61.0)], 1):
        write_pair("oxford_pets", "CoOp", seed, base, new)
    assert results(tmp_path).notes == [
        "Below zero-shot CLIP: oxford_pets, tau 0.06, CoOp, 3 seeds: base of 2, down to 50.0 < "
        "70.0, H of 2, down to 51.4 < 64.6"
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_two_spellings_of_one_setting_are_named(tmp_path, write, order):
    for spelled, accuracy in [("ratio_1", 60.0), ("ratio_1.0", 50.0)][::order]:
        for part in ("train_base", "test_new"):
            place = Place("base2new", part, "dtd", 16, 1.0, "CoOp", "cfg", 1)
            write(place, accuracy, spelled)
    made = results(tmp_path)
    assert made.summary[0]["base"] == 60.0 and made.summary[0]["n"] == 1
    assert any(
        "train_base/dtd/shots_16/ratio_1/CoOp/cfg/seed1 is shown" in line
        and "train_base/dtd/shots_16/ratio_1.0/CoOp/cfg/seed1 is not" in line
        for line in made.notes
    )
    assert len(made.notes) == 2
    assert notes.left_out(find_runs(tmp_path), made.units, made.twins) == []


def test_the_old_spelling_alone_is_read(tmp_path, write):
    for part in ("train_base", "test_new"):
        write(Place("base2new", part, "dtd", 16, 1.0, "CoOp", "cfg", 1), 50.0, "ratio_1.0")
    made = results(tmp_path)
    assert made.summary[0]["tau"] == 1.0 and made.notes == []


def test_runs_in_no_table_are_named(runs, write):
    write(Place("base2new", "train_base", "dtd", 16, 0.06, "CoOp", "cfg", 1), 50.0)
    write(
        Place("few_shot", "", "dtd", 4, 0.06, "CoOp", "cfg", 1), 0.0, status="failed", reason="no"
    )
    made, found = results(runs), find_runs(runs)
    half, failed = notes.left_out(found, made.units, made.twins)
    assert "train_base/dtd/shots_16/ratio_0.06/CoOp/cfg/seed1: completed, but" in half
    assert failed.endswith("few_shot/dtd/shots_4/ratio_0.06/CoOp/cfg/seed1: failed, no")


def test_averages_over_other_datasets_are_named(tmp_path, write_pair):
    for dataset in ("dtd", "eurosat", "sun397"):
        write_pair(dataset, "CoOp", 1, 60.0, 40.0)
        if dataset != "sun397":
            write_pair(dataset, "NPT_CoOp", 1, 60.0, 40.0)
    (note,) = results(tmp_path).notes
    assert note == (
        "Averages at tau 0.06 are over different datasets: CoOp: dtd, eurosat, sun397; "
        "NPT_CoOp: dtd, eurosat"
    )


def test_each_rule_of_averaging_is_explained_where_it_is_shown(tmp_path, write_pair):
    write_pair("dtd", "CoOp", 1, 60.0, 40.0)
    assert not any(line.startswith("average") for line in results(tmp_path).foot)
    write_pair("eurosat", "CoOp", 1, 60.0, 40.0)
    first, second, _ = results(tmp_path).foot
    assert first.startswith("average (H of averages): H is that of the row's own base and new")
    assert second.startswith("average (mean of H): H is the mean of the datasets' H")


def test_thresholds_and_empty_groups_are_in_the_foot(runs):
    (line,) = results(runs).foot
    assert line == (
        "Groups of 16 shots at tau 0.06: many-shot classes have more than 8 training images, "
        "few-shot fewer than 3.2, medium-shot the rest; no class is medium-shot or few-shot."
    )
