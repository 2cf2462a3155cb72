"""The whole report, from records to files."""

import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest

from npt_plugin.cli import main as cli
from npt_plugin.errors import UserError
from npt_plugin.evaluation.averages import harmonic_mean
from npt_plugin.report.averaging import H_OF_AVERAGES, MEAN_OF_H
from npt_plugin.report.published import BASE2NEW, published
from npt_plugin.report.write import report
from npt_plugin.runs.layout import Place


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
    for text in ("CoOp (published)", "94.47", "78.31", "Backbone: published ViT-B/16; here Tiny."):
        assert text in markdown, text
    latex = (runs / "table.tex").read_text()
    assert r"oxford\_pets" in latex and r"$\pm$" in latex
    assert latex.count(r"\\") == 4


def test_both_averages_are_in_every_format(tmp_path, write_pair, capsys):
    """The papers' own numbers come out as the papers' average rows."""
    for row in published(BASE2NEW):
        if row["dataset"] != "average" and row["method"] in ("CoOp", "MaPLe"):
            write_pair(row["dataset"], row["method"], 1, row["base"], row["new"], ratio=1.0)
            ours = (row["base"] + 1, row["new"] + 1)
            write_pair(row["dataset"], f"NPT_{row['method']}", 1, *ours, ratio=1.0)
    report(tmp_path)
    texts = {"out": capsys.readouterr().out}
    for name in ("report.md", "table.csv", "table.tex", "report.html", "differences.json"):
        texts[name] = (tmp_path / name).read_text()
    for name, text in texts.items():
        for rule in (H_OF_AVERAGES, MEAN_OF_H):
            assert rule.name in text, (name, rule.name)
    table = json.loads((tmp_path / "table.json").read_text())
    found = {(r["dataset"], r["trainer"]): round(r["H"], 2) for r in table}
    assert found[H_OF_AVERAGES.name, "CoOp"] == 71.66 and found[MEAN_OF_H.name, "CoOp"] == 70.83
    assert found[H_OF_AVERAGES.name, "MaPLe"] == 78.55 and found[MEAN_OF_H.name, "MaPLe"] == 78.27


def test_the_main_table_is_returned_and_ranked(tmp_path, write_pair, capsys):
    for trainer, base in (("CoOp", 50.0), ("ZeroshotCLIP", 40.0), ("NPT_CoOp", 60.0)):
        write_pair("pets", trainer, 1, base, 40.0)
    text = report(tmp_path)
    assert text in capsys.readouterr().out
    order = [line.split("|")[4].strip() for line in text.splitlines()[2:]]
    assert order == ["ZeroshotCLIP", "CoOp", "NPT_CoOp"]


def test_every_protocol_has_files_of_its_own(runs, write, capsys):
    for trainer, accuracy in (("CoOp", 50.0), ("NPT_CoOp", 52.0)):
        write(Place("few_shot", "", "dtd", 4, 1.0, trainer, "cfg", 1), accuracy)
    report(runs)
    out = capsys.readouterr().out
    assert "Base-to-new generalisation" in out and "Few-shot learning" in out
    assert json.loads((runs / "few_shot_differences.json").read_text())[0]["4 shots"] == 2.0
    assert len((runs / "few_shot_table.csv").read_text().splitlines()) == 3
    assert "## Few-shot learning: results" in (runs / "report.md").read_text()
    assert (runs / "report.md").read_text().startswith("# Results\n")


def test_an_empty_folder_and_a_broken_record_are_named(tmp_path, write):
    with pytest.raises(UserError, match="holds no completed run: train some first"):
        report(tmp_path)
    place = Place("base2new", "train_base", "pets", 16, 0.06, "CoOp", "cfg", 1)
    folder = write(place, 1.0, status="failed", reason="out of memory")
    with pytest.raises(UserError, match="seed1: failed, out of memory"):
        report(tmp_path)
    (folder / "results.json").write_text("{not json")
    with pytest.raises(UserError, match="results.json"):
        report(tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_half_a_run_is_not_an_empty_folder(tmp_path, write):
    write(Place("base2new", "train_base", "pets", 16, 0.06, "CoOp", "cfg", 1), 50.0)
    with pytest.raises(UserError, match="a run that its table needs beside it"):
        report(tmp_path)


def test_a_run_outside_the_layout_is_listed(tmp_path, write, capsys):
    place = Place("base2new", "train_base", "pets", 16, 0.06, "CoOp", "cfg", 1)
    write(place, 61.25).rename(tmp_path / "try")
    text = report(tmp_path)
    assert "try" in text and "61.2" in text
    assert "## Other runs" in (tmp_path / "report.md").read_text()
    assert not (tmp_path / "table.csv").exists()


class Reader(HTMLParser):
    """Collects tags and addresses, and checks that tags close in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.links = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.links += [v for k, v in attrs if k in ("src", "href")]
        if tag not in ("meta", "img", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_needs_no_network_and_fits_a_phone(runs, write_pair):
    pytest.importorskip("matplotlib")
    write_pair("oxford_pets", "NPT_CoOp", 4, 80.0, 60.0, status="failed", reason="<b>&")
    report(runs, plots=True)
    text = (runs / "report.html").read_text()
    reader = Reader()
    reader.feed(text)
    assert not reader.open and reader.seen.count("table") == 4 and reader.seen.count("img") == 2
    assert all(link.startswith(("data:image/png;base64,", "#words")) for link in reader.links)
    assert not re.search(r'(?:src|href)="https?://', text) and "width=device-width" in text
    assert text.count('<div class="scroll"') >= 4  # no table pushes the page wider
    assert "&lt;b&gt;&amp;" in text and "Not counted" in text


def test_pictures_stay_until_they_are_not_wanted(runs):
    """C5: a sweep after ``npt report`` wrote the page anew, without its pictures."""
    pytest.importorskip("matplotlib")

    def pictures():
        return (runs / "report.html").read_text().count("<img")

    report(runs)
    assert pictures() == 0  # never asked for
    report(runs, plots=True)
    assert pictures() == 2
    report(runs)
    assert pictures() == 2
    report(runs, plots=False)
    assert pictures() == 0


def test_a_record_with_a_missing_column_is_named(runs, capsys):
    file = next((runs / "base2new" / "test_new").rglob("results.json"))
    record = json.loads(file.read_text())
    del record["metrics"]["accuracy"]
    file.write_text(json.dumps(record))
    assert cli.main(["report", str(runs)]) == 2
    err = capsys.readouterr().err
    assert str(file) in err and "metrics.accuracy is None" in err


def test_a_reference_that_was_not_run_is_refused(runs):
    with pytest.raises(UserError, match=r"--reference is MaPLe.*there are.*CoOp"):
        report(runs, reference="MaPLe")
