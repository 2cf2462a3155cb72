"""The study of logit scales: its CLIPs, its pairing; the page quotes the committed runs."""

import math
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "methods"))


def test_a_tempered_clip_differs_in_its_scale_alone(tmp_path):
    from scaled_clip import write

    from npt_plugin.backbone.loading import load_clip

    write("tempered", 60.0, tmp_path / "clip.safetensors")
    plain = dict(load_clip("Tiny").named_parameters())
    made = dict(load_clip("Tiny", str(tmp_path / "clip.safetensors")).named_parameters())
    (scale,) = (name for name in plain if name.endswith("logit_scale"))
    assert made.pop(scale).item() == pytest.approx(math.log(60.0))
    assert plain.pop(scale).exp().item() == pytest.approx(17.5, abs=0.05)
    assert plain.keys() == made.keys()
    assert all(torch.equal(plain[name], made[name]) for name in plain)


def test_training_on_starts_at_the_embedded_clip_and_holds_the_scale():
    from scaled_clip import retrained, tempered

    made, start = retrained(30.0, steps=1), tempered(30.0)
    assert made.keys() == start.keys()
    assert made["logit_scale"].exp().item() == pytest.approx(30.0)
    moved = [(made[name].float() - start[name].float()).abs().max().item() for name in start]
    assert 0 < max(moved) < 1e-4  # one warm-up step of AdamW


def test_gains_are_paired_by_seed_and_need_every_dataset():
    import logit_scales as study

    def record(method, dataset, seed, h):
        place = {"kind": "retrained", "scale": 30.0, "dataset": dataset}
        return {**place, "method": method, "seed": seed, "H": h}

    records = [
        record(method, dataset, seed, h + 10 * (method != "CoOp") * seed)
        for seed in (1, 2)
        for dataset, h in zip(study.DATA, (50.0, 70.0), strict=True)
        for method in study.METHODS[:2]
    ]
    assert study.gains(records, "retrained", 30.0, "NPT_CoOp", "H") == [10.0, 20.0]
    assert study.gains(records[:-1], "retrained", 30.0, "NPT_CoOp", "H") == [10.0]
    assert study.gains(records, "tempered", 30.0, "NPT_CoOp", "H") == []


def test_seeds_and_weights_are_those_that_are_said():
    import logit_scales as study
    from plan import TUNING_SEEDS

    assert len(study.SEEDS) >= 8 and not set(study.SEEDS) & set(TUNING_SEEDS)
    run = study.Run(study.EMBEDDED, study.OWN, "NPT_CoOp x scale", study.DATA[0], 104)
    before, *weights = run.job("out").settings
    assert {float(value) for _, value in weights} == {10.0}
    assert run._replace(method="NPT_CoOp").job("out").settings == (before,)
    assert before == ("TRAINER.NPT.PRESET", "0.1")  # whose weights count cosines
    assert run._replace(method="CoOp").job("out").settings == ()


def test_the_page_quotes_the_committed_runs():
    import logit_scales as study
    from study_records import read_csv

    page = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    assert study.table(read_csv(study.CSV)) in page
    assert "images/logit_scales.png" in page and study.PICTURE.exists()
