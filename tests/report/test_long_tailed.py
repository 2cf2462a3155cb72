"""Published long-tailed numbers beside ours, each with its source."""

import pytest

from npt_plugin.report.long_tailed import long_tailed_table
from npt_plugin.report.protocols import LONG_TAIL
from npt_plugin.report.published import LONG_TAILED, published
from npt_plugin.report.results import results_of
from npt_plugin.runs.collect import find_runs
from npt_plugin.runs.configs import configs_folder, dataset_config
from npt_plugin.runs.layout import ALL_SHOTS, Place


def test_every_published_row_has_a_source_a_backbone_and_a_dataset_of_ours():
    rows = published(LONG_TAILED)
    assert {"CLIP", "Decoder", "LIFT", "GNM-PT"} <= {row["method"] for row in rows}
    for row in rows:
        assert len(row["source"]) > 20 and row["backbone"] and row["tested"] in ("single", "crops")
        assert dataset_config(row["dataset"], configs_folder()).is_file()
        shown = [row[name] for name in ("many", "medium", "few", "accuracy")]
        assert row["accuracy"] is not None and all(v is None or 0 < v < 100 for v in shown)


def test_the_overall_number_lies_between_the_groups():
    """Of balanced test sets it is their mean, weighted by classes."""
    for row in published(LONG_TAILED):
        groups = [row[name] for name in ("many", "medium", "few")]
        if None not in groups:
            assert min(groups) <= row["accuracy"] <= max(groups), row


def test_ours_stand_below_the_published_of_the_same_dataset(tmp_path, write):
    metrics = {"accuracy": 50.0, "macro_accuracy": 45.0, "many": 60.0, "medium": 40.0, "few": None}
    beside = {"crops": {"accuracy": 52.0, "paired": {}}}
    for dataset in ("places_lt", "imagenet"):
        place = Place("long_tail", "", dataset, ALL_SHOTS, 1.0, "FineTune", "lift", 0)
        write(place, 50.0, metrics=metrics, beside=beside, backbone="ViT-B/16")
    made = results_of(LONG_TAIL, find_runs(tmp_path))
    heads, rows = long_tailed_table(made.summary, made.units)
    assert heads[4:8] == ["many", "medium", "few", "all"]
    assert {row[0] for row in rows} == {"places_lt"}
    assert ["places_lt", "GNM-PT (published)", "ViT-B/16 of ImageNet-21k", "single"] in [
        row[:4] for row in rows
    ]
    plain, crops = rows[-2:]
    name = ["places_lt", "FineTune (re-run here)", "ViT-B/16"]
    assert plain == [*name, "single", "60.00", "40.00", "-", "50.00", "lift, n 1"]
    assert crops == [*name, "crops", "-", "-", "-", "52.00", "lift, n 1"]


def test_the_report_has_the_section(tmp_path, write, capsys):
    from npt_plugin.report.write import report

    place = Place("long_tail", "", "places_lt", ALL_SHOTS, 1.0, "FineTune", "lift", 0)
    write(place, 50.0)
    report(tmp_path, plots=False)
    text = (tmp_path / "report.md").read_text()
    assert "## Published, long-tailed" in text and "| LIFT (published)" in text
    assert "Published, long-tailed" in (tmp_path / "report.html").read_text()
    assert pytest.approx(52.2) == next(
        row["accuracy"]
        for row in published(LONG_TAILED)
        if (row["method"], row["dataset"], row["backbone"]) == ("LIFT", "places_lt", "ViT-B/16")
    )
