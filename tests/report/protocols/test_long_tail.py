"""Groups of classes, their mean and all images."""

from npt_plugin.report.protocols.long_tail import LongTail
from npt_plugin.report.results import results_of
from npt_plugin.runs.collect import find_runs
from npt_plugin.runs.layout import ALL_SHOTS, Place

TABLE = LongTail()


def results(output):
    return results_of(TABLE, find_runs(output))


def test_long_tail_has_the_groups(tmp_path, write):
    metrics = {"accuracy": 50.0, "macro_accuracy": 45.0, "many": 60.0, "medium": 40.0, "few": 20.0}
    place = Place("long_tail", "", "imagenet_lt", ALL_SHOTS, 1.0, "CoOp", "cfg", 1)
    write(place, 50.0, metrics=metrics)
    made = results(tmp_path)
    assert made.columns == ("many", "medium", "few", "macro", "accuracy")
    (row,) = made.summary
    assert [row[c] for c in made.columns] == [60.0, 40.0, 20.0, 45.0, 50.0]
    assert row["shots"] == "all" and made.foot[0].startswith("Groups of imagenet_lt, tau 1:")
