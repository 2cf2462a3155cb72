"""The study of base and new classes together: paired by seed, over datasets and on each."""

from pathlib import Path

import pytest

METHODS = Path(__file__).resolve().parents[2] / "benchmarks" / "methods"


@pytest.fixture
def study(monkeypatch):
    monkeypatch.syspath_prepend(str(METHODS))
    import open_world

    return open_world


def runs(study, method, seeds, **columns):
    """A run on every dataset; a value is a function of seed and place of the dataset."""
    for seed in seeds:
        for place, dataset in enumerate(study.DATASETS):
            values = {name: 50.0 for name in study.SHOWN}
            values |= {name: value(seed, place) for name, value in columns.items()}
            yield {"method": method, "dataset": dataset, "ratio": 0.06, "seed": seed, **values}


def row(text, *beginning):
    """The cells of the first line that begins with these."""
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    return next(cells for cells in lines if tuple(cells[: len(beginning)]) == beginning)


def test_differences_are_of_the_same_seed_on_every_dataset(study):
    base = [*runs(study, "CoOp", (1, 2, 3), pull=lambda seed, place: 100.0 + seed**3)]
    ours = [
        *runs(study, "NPT_CoOp", (1, 2), pull=lambda seed, place: 100.0 + seed**3 + 4 * place),
        *[*runs(study, "NPT_CoOp", (3,), pull=lambda seed, place: 0.0)][:2],  # two datasets only
    ]
    text = study.tables([*base, *ours])
    cells = row(text, "NPT_CoOp")
    assert cells[1] == "2" and cells[-1] == "+6.0 [+6.0, +6.0]"  # 0, 4, 8 and 12
    assert row(text, "0.06", "NPT_CoOp")[2:][2:] == ["+8.0 [+8.0, +8.0]", "+12.0 [+12.0, +12.0]"]


def test_a_measure_that_a_dataset_lacks_is_no_mean(study):
    missing = lambda seed, place: None if place == 1 else 60.0  # noqa: E731
    text = study.tables([*runs(study, "CoOp", (1, 2), pull=missing)])
    assert row(text, "CoOp")[2 + study.SHOWN.index("pull")] == "-"


def test_the_plan_asks_for_each_run_once(study):
    asked = list(study.runs_of(("CoOp", "MaPLe"), study.RATIOS, range(1, 9)))
    assert len(asked) == len({run.key for run in asked}) == 4 * 3 * (1 + 8 * 9)
    held = {study.key(record) for record in study.read_csv(study.RUNS)}
    assert held == {run.key for run in asked}
