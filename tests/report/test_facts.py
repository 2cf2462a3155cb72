"""Date, backbone, setting and rule of averages, in plain words."""

from datetime import date

from npt_plugin import __version__
from npt_plugin.report.facts import facts
from npt_plugin.report.results import all_results
from npt_plugin.runs.collect import find_runs
from npt_plugin.runs.layout import ALL_SHOTS, Place


def facts_of(folder):
    return facts(all_results(find_runs(folder)), date(2026, 3, 1))


def test_all_of_them(runs, write_pair):
    write_pair("dtd", "CoOp", 1, 50.0, 50.0, ratio=1.0, backbone="ViT-B/16")
    write_pair("dtd", "CoOp", 1, 50.0, 50.0)
    assert facts_of(runs)[:3] == [
        ("Written", f"2026-03-01 by npt_plugin {__version__}"),
        ("Backbone", "Tiny, ViT-B/16"),
        ("Base-to-new generalisation", "dtd, oxford_pets; tau 0.06, 1; 16 shots; seeds 1, 2, 3"),
    ]
    ((name, rule),) = facts_of(runs)[3:]
    assert name == "Averages" and rule.startswith("average (H of averages): H is that of")
    assert rule.endswith("Beside it: average (mean of H).")


def test_a_backbone_from_a_file_is_named_with_what_the_file_holds(runs, write_pair):
    write_pair("dtd", "CoOp", 1, 5.0, 5.0, backbone="a/b", backbone_file="b.pt, OpenAI's")
    assert dict(facts_of(runs))["Backbone"] == "Tiny, a/b (b.pt, OpenAI's)"


def test_one_dataset_has_no_average(runs):
    assert "Averages" not in dict(facts_of(runs))


def test_shots_as_columns_and_all_images(tmp_path, write):
    for shots in (1, 4):
        write(Place("few_shot", "", "dtd", shots, 1.0, "CoOp", "cfg", 1), 50.0)
    write(Place("long_tail", "", "dtd", ALL_SHOTS, 0.01, "CoOp", "cfg", 1), 50.0, backbone=None)
    found = dict(facts_of(tmp_path))
    assert found["Few-shot learning"] == "dtd; tau 1; 1 shot, 4 shots; seeds 1"
    assert found["Long-tail recognition"] == "dtd; tau 0.01; all shots; seeds 1"
    assert found["Backbone"] == "Tiny, not recorded"


def test_nothing_placed_has_a_date_only():
    assert [name for name, _ in facts([], date(2026, 3, 1))] == ["Written"]
