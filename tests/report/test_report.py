"""The report on records on disk: differences, intervals, flags, published numbers, formats."""

import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest

from npt_plugin.cli import main as cli
from npt_plugin.evaluation.averages import harmonic_mean
from npt_plugin.report.differences import below_zero_shot, paired_differences
from npt_plugin.report.formats import as_latex
from npt_plugin.report.published import BASE2NEW, IMBALANCED, published
from npt_plugin.report.runs import Key
from npt_plugin.report.write import report
from npt_plugin.runs.record import write_record
from npt_plugin.sweep.job import BASE, NEW, Job


def write_pair(output, dataset, trainer, seed, base, new, status="completed", **more):
    job = Job(dataset, trainer, "cfg", seed, 0.06, output=str(output))
    for part, accuracy in ((BASE, base), (NEW, new)):
        metrics = {"accuracy": accuracy, "macro_accuracy": accuracy, "many": 90.0, "few": None}
        record = {
            "status": status,
            "trainer": trainer,
            "dataset": dataset,
            "classes": part,
            "seed": seed,
            "ratio": 0.06,
            "epochs": 13,
            "selection": "last_step",
            "shots": 16,
            "backbone": "Tiny",
            "config": {},
            "config_hash": "0",
            "metrics": metrics,
            **more,
        }
        write_record(job.folder(part), record)


@pytest.fixture
def runs(tmp_path):
    values = {"CoOp": (70, 72, 74), "NPT_CoOp": (73, 74, 79)}
    write_pair(tmp_path, "oxford_pets", "ZeroshotCLIP", 1, 71.0, 60.0)
    for trainer, bases in values.items():
        for seed, base in enumerate(bases, 1):
            write_pair(tmp_path, "oxford_pets", trainer, seed, float(base), 60.0)
    return tmp_path


def row(values):
    return {s: {"base": b, "new": n, "H": harmonic_mean(b, n)} for s, (b, n) in values.items()}


def test_differences_are_paired_by_seed():
    rows = {
        Key(0.06, "pets", "CoOp", "a"): row({1: (50, 50), 2: (60, 50), 9: (0, 0)}),
        Key(0.06, "pets", "NPT_CoOp", "a"): row({1: (51, 50), 2: (63, 50), 3: (99, 99)}),
        Key(0.06, "pets", "NPT_MaPLe", "a"): row({1: (51, 50)}),
        Key(1.0, "pets", "NPT_CoOp", "a"): row({1: (51, 50)}),
    }
    (found,) = paired_differences(rows)
    assert found["seeds"] == [1, 2] and found["base_values"] == [1, 3]
    assert found["base"] == 2 and found["comparison"] == "NPT_CoOp - CoOp"


def test_runs_below_zero_shot_are_flagged_whatever_the_mean():
    rows = {
        Key(0.06, "pets", "ZeroshotCLIP", "a"): row({1: (50, 50)}),
        Key(0.06, "pets", "CoOp", "a"): row({1: (10, 60), 2: (99, 50), 3: (50, 50)}),
    }
    (flag,) = below_zero_shot(rows)
    assert flag["seed"] == 1 and set(flag["below"]) == {"base", "H"}


def test_the_published_tables_are_consistent():
    rows = published(BASE2NEW)
    assert len(rows) == 48 and {r["method"] for r in rows} == {"CLIP", "CoOp", "CoCoOp", "MaPLe"}
    for r in rows:
        assert r["H"] == pytest.approx(harmonic_mean(r["base"], r["new"]), abs=0.02), r
    assert {r["tau"] for r in published(IMBALANCED)} == {1.0, 0.25, 0.06}


def test_every_format_holds_the_numbers(runs, capsys):
    report(runs)
    out = capsys.readouterr().out
    mean = sum(harmonic_mean(b, 60) for b in (73, 74, 79)) / 3
    assert f"{mean:.1f} ±" in out and "NPT_CoOp - CoOp" in out and "+3.3 [-0.5, +7.1]" in out
    assert "Below zero-shot CLIP: oxford_pets, tau 0.06, CoOp, seed 1: base 70.0 < 71.0" in out
    rows = list(csv.DictReader(io.StringIO((runs / "table.csv").read_text())))
    assert [r["trainer"] for r in rows] == ["ZeroshotCLIP", "CoOp", "NPT_CoOp"]
    assert float(rows[2]["H"]) == pytest.approx(mean) and rows[2]["seeds"] == "1 2 3"
    assert json.loads((runs / "differences.json").read_text())[0]["n"] == 3
    markdown = (runs / "report.md").read_text()
    for text in (
        "## Results, re-run here",
        "CoOp (published)",
        "94.47",
        "78.31",
        "Backbone: published ViT-B/16; here Tiny.",
        "1: ",
    ):
        assert text in markdown, text
    latex = (runs / "table.tex").read_text()
    assert r"oxford\_pets" in latex and r"$\pm$" in latex
    assert latex.count(r"\\") == 4


def test_latex_escapes_what_it_must():
    assert r"a\_b \& 5\% \#1" in as_latex((["x"], [["a_b & 5% #1"]]), "")


class Reader(HTMLParser):
    """Collects tags and addresses, and checks that tags close in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.links = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.links += [v for k, v in attrs if k in ("src", "href")]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_needs_no_network_and_fits_a_phone(runs):
    pytest.importorskip("matplotlib")
    write_pair(runs, "oxford_pets", "NPT_CoOp", 4, 80.0, 60.0, status="failed", reason="<b>&")
    report(runs, plots=True)
    text = (runs / "report.html").read_text()
    reader = Reader()
    reader.feed(text)
    assert not reader.open and reader.seen.count("table") == 4 and reader.seen.count("img") >= 3
    assert all(link.startswith("data:image/png;base64,") for link in reader.links)
    assert not re.search(r"https?://", text) and "width=device-width" in text
    assert text.count('<div class="scroll">') == 4  # no table pushes the page wider
    assert "&lt;b&gt;&amp;" in text and "Not counted" in text


def test_a_record_with_a_missing_column_is_named(runs, capsys):
    file = next((runs / "base2new" / NEW).rglob("results.json"))
    record = json.loads(file.read_text())
    del record["metrics"]["accuracy"]
    file.write_text(json.dumps(record))
    assert cli.main(["report", str(runs)]) == 2
    err = capsys.readouterr().err
    assert str(file) in err and "metrics.accuracy is None" in err
