"""The table of aims: what is paired with what, and when an aim is met."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "methods"))


def records(values, ratio=0.06, rule="epochs"):
    """Runs of several methods: ``{method: [H of seed 1, of seed 2, ...]}``, on every dataset."""
    from evidence_tables import GEOMETRY, SHOWN
    from plan import DATASETS

    return [
        {
            **{name: 0.5 for name in (*SHOWN, *GEOMETRY)},
            **{"method": method, "dataset": dataset, "ratio": ratio, "rule": rule, "seed": seed},
            **{"H": h, "base": h + 1, "new": h - 1},
        }
        for method, found in values.items()
        for dataset in DATASETS
        for seed, h in enumerate(found, start=1)
    ]


def table(values, **more):
    from aims import Aims

    return Aims(records(values, **more))


def test_an_aim_needs_its_mean_and_an_interval_above_0():
    close = table({"CoOp": [60, 61, 62], "NPT_CoOp (v3)": [64.1, 65.0, 66.2]})
    assert close.over_base("CoOp", 0.06, 4.0)[3] == "+4.1 [+3.9, +4.3] (3), met"
    assert close.over_base("CoOp", 0.06, 4.2)[3].endswith("missed")
    spread = table({"CoOp": [60, 61, 62], "NPT_CoOp (v3)": [60, 70, 66]})  # +0, +9, +4
    assert spread.over_base("CoOp", 0.06, 4.0)[3].endswith("missed")
    assert spread.over_base("CoOp", 0.06, 0.0)[3].endswith("missed")
    assert close.over_base("CoOp", 0.06, 0.0)[3].endswith("met")


def test_the_best_of_each_side_are_compared_and_cpt_is_not_ours():
    values = {
        "CoOp": [60, 60],
        "KgCoOp": [63, 63.5],
        "CPT on CoOp": [70, 70],
        "NPT_CoOp (v3)": [64, 64],
        "NPT_KgCoOp, every class alike": [71, 71.2],
    }
    steps = records(values, rule="steps")
    from aims import Aims

    row = Aims([*records(values), *steps]).over_others("CoOp", 1.0)
    assert row[0] == "best NPT − best other on CoOp: NPT_KgCoOp, every class alike − CPT on CoOp"
    assert row[3] == "+1.1 [-0.2, +2.4] (2), missed"  # the interval holds 0


def test_the_best_gains_most_though_another_ran_on_easier_seeds():
    from aims import Aims

    values = {
        "CoOp": [50, 52, 80],
        "KgCoOp": [53, 55],  # +3 on seeds 1 and 2, mean 54
        "ProGrad": [51, 53, 81],  # +1 on all, mean 61.7
        "NPT_CoOp (v3)": [55, 57, 85],
    }
    found = Aims([*records(values), *records(values, rule="steps")])
    assert found.over_others("CoOp", 1.0)[0].endswith("NPT_CoOp (v3) − KgCoOp")


def test_the_gain_at_the_strongest_imbalance_is_set_beside_the_other():
    found = []
    for ratio, ours in ((0.06, 64), (0.01, 65)):
        for rule in ("epochs", "steps"):
            values = {"CoOp": [60, 61], "NPT_CoOp (v3)": [ours, ours + 1]}
            found += records(values, ratio=ratio, rule=rule)
    from aims import Aims

    assert Aims(found).at_least_as_strong()[2:] == [
        "+4.0 and +4.0, as at 0.06",
        "+5.0 [+5.0, +5.0] (2), met",
        "+5.0 [+5.0, +5.0] (2), met",
    ]
