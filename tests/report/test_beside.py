"""What runs have tested beside their results: paired over seeds, or over images of one."""

import pytest

from npt_plugin.report.beside import beside_table
from npt_plugin.report.protocols import BASE_TO_NEW, LONG_TAIL
from npt_plugin.report.results import results_of
from npt_plugin.report.write import report
from npt_plugin.runs.collect import find_runs
from npt_plugin.runs.layout import ALL_SHOTS, Place


def crops(accuracy, difference=1.0):
    ends = [difference - 0.5, difference + 0.5]
    paired = {"difference": difference, "interval": ends, "n": 400, "over": "test images"}
    return {"crops": {"accuracy": accuracy, "macro_accuracy": accuracy, "paired": paired}}


@pytest.fixture
def put(write):
    def call(seed, accuracy, beside=None):
        place = Place("long_tail", "", "places_lt", ALL_SHOTS, 1.0, "FineTune", "lift", seed)
        write(place, accuracy, beside=beside)

    return call


def table_of(folder, table=LONG_TAIL):
    return beside_table(results_of(table, find_runs(folder)))


def test_one_seed_is_paired_over_its_test_images(tmp_path, put):
    put(0, 50.0, crops(51.0))
    heads, (row,) = table_of(tmp_path)
    assert row[:9] == ["places_lt", "1", "all", "FineTune", "-", "crops", "1", "50.00", "51.00"]
    assert row[9:] == ["+1.00 [+0.50, +1.50]", "400 test images"] and len(heads) == len(row)


def test_several_seeds_are_paired_over_seeds(tmp_path, put):
    for seed, (plain, other) in enumerate([(50.0, 51.0), (52.0, 54.0), (51.0, 52.5)]):
        put(seed, plain, crops(other, other - plain))
    put(3, 60.0)  # tested nothing
    _, (row,) = table_of(tmp_path)
    # mean 1.5, sd 0.5, t 4.3027 with two degrees of freedom: 4.3027 x 0.5 / sqrt 3 = 1.2421
    assert row[6:] == ["3", "51.00", "52.50", "+1.50 [+0.26, +2.74]", "seeds"]


def test_each_part_of_a_protocol_is_a_row_of_its_own(tmp_path, write_pair):
    write_pair("dtd", "CoOp", 1, 60.0, 50.0, beside=crops(61.0))
    _, rows = table_of(tmp_path, BASE_TO_NEW)
    assert [row[4] for row in rows] == ["base", "new"]


def test_without_any_there_is_no_section(tmp_path, put):
    put(0, 50.0)
    assert table_of(tmp_path) is None


def test_the_long_tail_table_has_a_column_and_the_report_a_section(tmp_path, put, capsys):
    put(0, 50.0, crops(51.0))
    made = results_of(LONG_TAIL, find_runs(tmp_path))
    assert made.columns[-2:] == ("accuracy (crops)", "accuracy")
    assert made.summary[0]["accuracy (crops)"] == 51.0
    report(tmp_path, plots=False)
    assert (
        "Long-tail recognition: tested beside the results" in (tmp_path / "report.md").read_text()
    )
