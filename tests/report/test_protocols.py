"""Which runs make a row of which table, and what its columns are."""

import pytest

from npt_plugin.report.protocols import TABLES, VARIANTS
from npt_plugin.report.results import results_of
from npt_plugin.runs.collect import find_runs
from npt_plugin.runs.layout import ALL_SHOTS, Place

BASE_TO_NEW, FEW_SHOT, CROSS, GENERALISATION, LONG_TAIL = TABLES


def results(table, output):
    return results_of(table, find_runs(output))


def test_base_to_new_needs_both_halves(tmp_path, write):
    place = ("oxford_pets", 16, 0.06, "CoOp", "cfg", 1)
    write(Place("base2new", "train_base", *place), 60.0)
    assert results(BASE_TO_NEW, tmp_path) is None
    write(Place("base2new", "test_base", *place), 60.0)  # of SUB=base: no part of the table
    assert results(BASE_TO_NEW, tmp_path) is None
    write(Place("base2new", "test_new", *place), 40.0)
    (row,) = results(BASE_TO_NEW, tmp_path).summary
    assert (row["base"], row["new"], row["H"]) == (60.0, 40.0, 48.0)
    assert row["few"] is None and row["many"] == 90.0


def test_few_shot_has_a_column_for_every_number_of_shots(tmp_path, write):
    for dataset, plus in (("dtd", 0.0), ("eurosat", 10.0)):
        for shots in (16, 1, 4):
            for seed in (1, 2):
                place = Place("few_shot", "", dataset, shots, 1.0, "CoOp", "cfg", seed)
                write(place, 40.0 + shots + seed + plus)
    made = results(FEW_SHOT, tmp_path)
    assert made.columns == ("1 shot", "4 shots", "16 shots")
    dtd, eurosat, average = made.summary
    assert [dtd[c] for c in made.columns] == [42.5, 45.5, 57.5]
    assert [average[c] for c in made.columns] == [47.5, 50.5, 62.5]
    assert average["dataset"] == "average" and average["over"] == ["dtd", "eurosat"]
    assert "shots" not in dtd


@pytest.fixture
def transfers(write):
    def call(trainer, seed, plus=0.0, targets=("dtd", "sun397", *VARIANTS)):
        rest = (16, 1.0, trainer, "cfg", seed)
        write(Place("xd", "train", "imagenet", *rest), 70.0 + plus)
        for place, target in enumerate(targets):
            write(Place("xd", "test_from_imagenet", target, *rest), 60.0 + place + plus)

    return call


def test_cross_dataset_and_generalisation_share_the_training(tmp_path, transfers):
    transfers("CoOp", 1)
    cross, variants = results(CROSS, tmp_path), results(GENERALISATION, tmp_path)
    assert cross.columns == ("source", "dtd", "sun397", "average of 2")
    assert [cross.summary[0][c] for c in cross.columns] == [70.0, 60.0, 61.0, 60.5]
    assert variants.columns == ("source", *VARIANTS, "average of 4")
    assert [variants.summary[0][c] for c in variants.columns] == [
        70.0,
        62.0,
        63.0,
        64.0,
        65.0,
        63.5,
    ]
    assert cross.summary[0]["trained on"] == "imagenet"


def test_a_target_that_is_missing_takes_the_average_with_it(tmp_path, transfers):
    transfers("CoOp", 1)
    transfers("NPT_CoOp", 1, plus=1.0, targets=("dtd",))
    made = results(CROSS, tmp_path)
    ours = made.summary[1]
    assert ours["sun397"] is None and ours["average of 2"] is None and ours["dtd"] == 61.0
    (difference,) = made.differences
    assert difference["dtd"] == 1.0 and difference["average of 2"] is None
    assert results(GENERALISATION, tmp_path).differences == []  # no variant was tested


def test_differences_of_a_transfer_are_paired_by_seed(tmp_path, transfers):
    for seed, plus in ((1, 1.0), (2, 3.0)):
        transfers("CoOp", seed)
        transfers("NPT_CoOp", seed, plus)
    (difference,) = results(CROSS, tmp_path).differences
    assert difference["average of 2_values"] == [1.0, 3.0] and difference["source"] == 2.0


def test_long_tail_has_the_groups(tmp_path, write):
    metrics = {"accuracy": 50.0, "macro_accuracy": 45.0, "many": 60.0, "medium": 40.0, "few": 20.0}
    place = Place("long_tail", "", "imagenet_lt", ALL_SHOTS, 1.0, "CoOp", "cfg", 1)
    write(place, 50.0, metrics=metrics)
    made = results(LONG_TAIL, tmp_path)
    assert made.columns == ("many", "medium", "few", "macro", "accuracy")
    (row,) = made.summary
    assert [row[c] for c in made.columns] == [60.0, 40.0, 20.0, 45.0, 50.0]
    assert row["shots"] == "all" and made.foot[0].startswith("Groups of imagenet_lt, tau 1:")


def test_every_table_writes_files_of_its_own():
    assert len({table.prefix for table in TABLES}) == len({table.title for table in TABLES}) == 5
