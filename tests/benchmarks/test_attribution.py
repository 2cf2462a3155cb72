"""The attribution: strengths are solved for, and every form runs at the same ones."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

METHODS = Path(__file__).resolve().parents[2] / "benchmarks" / "methods"


@pytest.fixture
def modules(monkeypatch):
    monkeypatch.syspath_prepend(str(METHODS))
    import attribution_page
    import attribution_plan
    import attribution_strength

    yield attribution_plan, attribution_strength, attribution_page
    for name in [n for n in sys.modules if n.startswith("attribution")]:
        del sys.modules[name]


def options_of(method):
    return dict(zip(method.options[::2], method.options[1::2], strict=True))


def test_strengths_are_norms_over_cross_entropy_s(modules):
    plan, strength, _ = modules
    step = {"ce": torch.tensor([3.0, 4.0])}
    step |= {form.name: torch.tensor([10.0, 0.0]) for form in plan.SINGLES}
    step[plan.PULL] = torch.tensor([0.0, 2.5])
    found = strength.strengths([step, step])
    assert found[plan.NEAR] == pytest.approx(2) and found[plan.PULL] == pytest.approx(0.5)
    assert found[f"{plan.NEAR} + pull"] == pytest.approx(2**0.5)  # they are orthogonal


def test_weights_give_the_wanted_strength(modules):
    plan, _, _ = modules
    factors = {form.name: 4.0 for form in plan.SINGLES} | {p.name: 1.5 for p in plan.PAIRS}
    by_name = {form.name: form for form in plan.FORMS}
    single = options_of(by_name[plan.NEAR].method(2.0, factors))
    assert single == {"TRAINER.COOP.W": "0.5"}
    pair = options_of(by_name[f"{plan.ANCHORED} + pull"].method(3.0, factors))
    assert pair["TRAINER.NPT.LAMBDA_LC"] == pair["TRAINER.NPT.LAMBDA_MI"] == "0.5"


def test_every_form_runs_once_at_each_strength(modules):
    plan, _, page = modules
    factors = dict.fromkeys([form.name for form in plan.FORMS], 1.0)
    runs = list(plan.attribution_runs({0.06: factors}, (0.06,), (1, 2)))
    assert len(runs) == len(set(runs)) == 4 + 2 * 4 * (3 + len(plan.STRENGTHS) * len(plan.FORMS))
    compared = {name for ours, other, _ in page.CONTRASTS for name in (ours, other)}
    assert compared <= {form.name for form in plan.FORMS}


def test_the_page_shows_paired_gains(modules):
    plan, _, page = modules
    records = []
    for dataset in page.DATASETS:
        for seed in (1, 2):
            for name, base in (("nothing", 70.0), (page.name_of(plan.NEAR, 9.0), 72.0 + seed)):
                rest = dict.fromkeys(page.SHOWN, 0.5)
                where = {"dataset": dataset, "seed": seed, "ratio": 0.06, "method": name}
                records.append({**rest, **where, "base": base, "H": base})
    rows = page.form_rows(records, 0.06)
    assert [row[0] for row in rows] == ["nothing", f"{plan.NEAR} @ 9"]
    assert rows[1][2].startswith("+3.5 [")


def test_the_tables_of_the_page_are_those_of_the_committed_runs(modules):
    _, _, page = modules
    import attribution

    shown = page.PAGE.read_text(encoding="utf-8").split(page.MARK)[1]
    made = page.page(attribution.read_csv(attribution.RUNS), attribution.read_strengths())
    assert shown == made, "run benchmarks/methods/attribution.py table --write"
