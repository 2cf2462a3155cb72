"""Cells, and their text, CSV and LaTeX."""

import csv
import io

from npt_plugin.report.formats import as_csv, as_latex, as_text, difference_table, main_table


def summary_row(trainer="CoOp", config="a", values=(70.0, 72.0), n=2, dataset="pets"):
    values = list(values)
    mean = sum(values) / len(values) if values else None
    return {
        "dataset": dataset,
        "tau": 0.06,
        "shots": 16,
        "trainer": trainer,
        "config": config,
        "over": [],
        "n": n,
        "seeds": list(range(1, n + 1)),
        "H": mean,
        "H_sd": 1.414 if len(values) > 1 else None,
        "H_values": values,
    }


def test_cells_of_the_main_table():
    heads, lines = main_table([summary_row(), summary_row("NPT_CoOp")], ["H"], every_seed="H")
    assert heads == ["dataset", "tau", "shots", "trainer", "n", "H", "H of each seed"]
    assert lines[0] == ["pets", "0.06", "16", "CoOp", "2", "71.0 ± 1.4", "1: 70.0, 2: 72.0"]
    assert lines[1][:4] == ["", "", "", "NPT_CoOp"]  # the same dataset is said once


def test_a_cell_of_fewer_seeds_says_so():
    _, ((*_, cell),) = main_table([summary_row(values=(70.0,))], ["H"])
    assert cell == "70.0 (n 1)"
    _, ((*_, cell),) = main_table([summary_row(values=())], ["H"])
    assert cell == "-"


def test_two_configs_of_a_trainer_are_told_apart():
    _, lines = main_table([summary_row(), summary_row(config="b"), summary_row("MaPLe")], ["H"])
    assert [line[3] for line in lines] == ["CoOp (a)", "CoOp (b)", "MaPLe"]
    _, lines = main_table([summary_row(), summary_row(config="b", dataset="imagenet")], ["H"])
    assert [line[3] for line in lines] == ["CoOp", "CoOp"]  # one for each dataset


def test_cells_of_the_differences():
    row = {
        **{key: summary_row()[key] for key in ("dataset", "tau", "shots", "config", "over")},
        "comparison": "NPT_CoOp - CoOp",
        "n": 2,
        "seeds": [1, 5],
        "H": -0.04,
        "H_interval": (-1.26, 1.18),
        "H_values": [-0.04, 0.0],
    }
    heads, (line,) = difference_table([row], ["H"])
    assert heads[-2:] == ["H", "H of each seed"]
    assert line[-2:] == ["+0.0 [-1.3, +1.2]", "1: +0.0, 5: +0.0"]  # no minus before a zero


def test_text_keeps_digits_as_they_are():
    text = as_text((["tau", "H"], [["0.060", "70.0"]]))
    assert "0.060" in text and "70.0" in text


def test_latex_escapes_what_it_must():
    text = as_latex((["x", "y"], [["a_b & 5% #1", "70.0 ± 1.4"]]), "H ± sd")
    assert r"a\_b \& 5\% \#1" in text and r"70.0 $\pm$ 1.4" in text
    assert r"\caption{H $\pm$ sd}" in text and "±" not in text
    assert text.index(r"\toprule") < text.index(r"\midrule") < text.index(r"\bottomrule")
    assert text.count(r"\begin") == text.count(r"\end") == 2


def test_csv_has_full_precision_and_lists():
    rows = list(csv.DictReader(io.StringIO(as_csv([summary_row(values=(1 / 3, 2 / 3))]))))
    assert rows[0]["seeds"] == "1 2" and float(rows[0]["H_values"].split()[0]) == 1 / 3
    assert rows[0]["dataset"] == "pets" and rows[0]["over"] == ""
