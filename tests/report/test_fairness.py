"""Rows that mix settings, and comparisons at other settings, are named with their keys."""

from pathlib import Path

from run_records import record

from npt_plugin.report.fairness import mixed_settings
from npt_plugin.runs.collect import Run
from npt_plugin.runs.units import Key, Unit


def unit(trainer, seed, steps=0, lr=0.002, dataset="pets", part="base", **more):
    config = {
        "SEED": seed,
        "OUTPUT_DIR": f"somewhere/{seed}",
        "TRAIN": {"STEPS": steps},
        "OPTIM": {"LR": lr},
        "TRAINER": {"NAME": trainer, "NPT": {"WEIGHT": 10.0 if "NPT" in trainer else 1.0}},
        **more,
    }
    run = Run(Path("run"), record(config=config))
    return Unit(Key(0.06, dataset, trainer, "cfg"), seed, {part: run})


def test_equal_settings_are_not_spoken_of():
    units = [unit(trainer, seed) for trainer in ("CoOp", "NPT_CoOp") for seed in (1, 2, 3)]
    assert mixed_settings(units) == []


def test_seeds_of_one_row_with_other_settings():
    assert mixed_settings([unit("CoOp", 2, lr=0.1), unit("CoOp", 1)]) == [
        "Other settings in one row: pets, tau 0.06, CoOp, seed 1 -> 2: OPTIM.LR: 0.002 -> 0.1"
    ]


def test_a_comparison_at_other_steps():
    (line,) = mixed_settings(
        [unit("CoOp", 1, steps=400), unit("NPT_CoOp", 1), unit("CoOp", 2, 400)]
    )
    assert line == (
        "Compared at other settings: pets, tau 0.06, NPT_CoOp, seed 1, CoOp -> NPT_CoOp: "
        "TRAIN.STEPS: 400 -> 0"
    )


def test_other_datasets_and_parts_are_not_compared():
    assert mixed_settings([unit("CoOp", 1, 400), unit("NPT_CoOp", 1, dataset="dtd")]) == []
    assert mixed_settings([unit("CoOp", 1, 400, part="4"), unit("CoOp", 2, part="16")]) == []


def test_keys_that_an_old_record_lacks_are_not_differences():
    assert mixed_settings([unit("CoOp", 1), unit("CoOp", 2, NEW_KEY=1)]) == []
