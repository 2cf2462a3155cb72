"""The numbers of the first page: those of the committed results, and right when counted by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

METHODS = Path(__file__).resolve().parents[2] / "benchmarks" / "methods"


@pytest.fixture
def front_page(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(METHODS), *sys.path])
    import front_page

    return front_page


def test_every_block_of_every_page_is_what_the_results_give(front_page):
    made = front_page.blocks()
    used = set()
    for page in front_page.PAGES:
        text = page.read_text(encoding="utf-8")
        used |= {found[2] for found in front_page.BLOCK.finditer(text)}
        assert front_page.filled(text, made) == text, (
            f"{page}: run benchmarks/methods/front_page.py"
        )
    assert used == set(made)


def test_a_changed_number_is_seen(front_page):
    text = "a\n<!-- made: demo -->\n\n| 1 |\n\n<!-- end -->\nb"
    made = {"demo": "| 2 |"}
    assert front_page.filled(text, made) == text.replace("1", "2")
    empty = "<!-- made: demo -->\n<!-- end -->\nkept\n<!-- made: demo -->\n<!-- end -->"
    assert front_page.filled(empty, made).count("| 2 |\n\n<!-- end -->\n") == 1
    assert "kept" in front_page.filled(empty, made)


def test_differences_are_of_the_same_seed_and_balanced_runs_serve_both_rules(front_page):
    from plan import DATASETS

    def runs(method, h, rule, seeds):
        for seed in seeds:
            for place, dataset in enumerate(DATASETS):
                values = dict.fromkeys(front_page_columns(), 50.0)
                values |= {"H": h + seed * seed + place}  # the square cancels in pairs only
                yield {
                    "method": method,
                    "dataset": dataset,
                    "ratio": 1.0,
                    "rule": rule,
                    "seed": seed,
                    **values,
                }

    records = [
        *runs("CoOp", 70.0, "epochs", (1, 2, 3)),
        *runs("NPT_CoOp (v3)", 72.5, "epochs", (2, 3)),
    ]
    pair = front_page.Pair("NPT_CoOp (v3)", "CoOp", 1.0)
    for rule in ("epochs", "steps"):
        assert front_page.differences(records, pair, rule, "H") == [2.5, 2.5]


def test_a_finding_is_of_paired_seeds_under_both_rules_and_its_numbers_stay_together(front_page):
    import findings
    from plan import DATASETS

    def runs(method, rule, more):
        for seed, extra in enumerate(more, 1):
            for dataset in DATASETS:
                values = dict.fromkeys(front_page_columns(), 50.0) | {"H": 70.0 + 9 * seed + extra}
                place = {"method": method, "dataset": dataset, "rule": rule, "seed": seed}
                yield {**place, "ratio": 0.06, **values}

    say = findings.Words(
        [
            *(run for rule in ("epochs", "steps") for run in runs("CoOp", rule, (0, 0, 0))),
            *runs("KgCoOp", "epochs", (1, 3)),
            *runs("KgCoOp", "steps", (2, 2, 2)),
        ]
    )
    assert say.both("KgCoOp", "CoOp") == "+2.0 [-10.7, +14.7] and +2.0 [+2.0, +2.0]"
    assert say.n("KgCoOp", "CoOp") == "n = 2"
    for width in range(20):  # wherever the line ends
        text = findings._bullet("x" * (findings.WIDTH - width) + " +2.0 [-10.7, +14.7] (n = 2).")
        assert "[-10.7, +14.7]" in text and "n = 2" in text


def front_page_columns():
    from evidence_tables import GEOMETRY, SHOWN

    return (*SHOWN, *GEOMETRY)


def test_the_demo_table_is_that_of_the_report(front_page):
    """Its averages, once more from the datasets' rows."""
    import csv

    with front_page.DEMO.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for trainer in ("ZeroshotCLIP", "CoOp", "NPT_CoOp"):
        of = [r for r in rows if r["trainer"] == trainer]
        single = [r for r in of if not r["dataset"].startswith("average")]
        base, new, h = (sum(float(r[c]) for r in single) / 4 for c in ("base", "new", "H"))
        line = next(r for r in front_page.demo().splitlines() if r.startswith(f"| {trainer} |"))
        shown = [cell.split()[0] for cell in line.strip("|").split("|")[1:5]]
        assert [shown[0], shown[1], shown[3]] == [f"{x:.1f}" for x in (base, new, h)]
