"""Headings, captions and tables, for Markdown and HTML alike."""

from npt_plugin.report.protocols import TABLES
from npt_plugin.report.results import all_results
from npt_plugin.report.sections import caption, not_counted, other_cells, published, sections_of
from npt_plugin.runs.collect import find_runs
from npt_plugin.runs.layout import Place


def test_sections_of_base_to_new(runs):
    (made,) = all_results(find_runs(runs))
    heads = [section.head for section in sections_of(made)]
    assert heads == [
        "Base-to-new generalisation: results, re-run here",
        "Base-to-new generalisation: paired differences",
        "Base-to-new generalisation: runs to look at",
    ]
    assert [section.head for section in published(made)] == [
        "Published, balanced",
        "Published, imbalanced",
    ]
    first = sections_of(made)[0]
    assert first.cells[0][-1] == "H of each seed" and first.lines == made.foot


def test_only_base_to_new_has_published_numbers(tmp_path, write):
    write(Place("few_shot", "", "dtd", 4, 1.0, "CoOp", "cfg", 1), 50.0)
    (made,) = all_results(find_runs(tmp_path))
    (section,) = sections_of(made)  # one trainer: nothing to compare
    assert section.head == "Few-shot learning: results, re-run here"
    assert published(made) == []


def test_captions_need_no_escape_in_latex(runs):
    (made,) = all_results(find_runs(runs))
    for table in TABLES:
        object.__setattr__(made, "table", table)
        assert not {*caption(made)} & {*"&%$#_{}~^\\"}


def test_other_runs_are_listed_by_folder(tmp_path, write):
    place = Place("base2new", "train_base", "dtd", 16, 0.5, "CoOp", "cfg", 3)
    (tmp_path / "try").mkdir()
    write(place, 61.25).rename(tmp_path / "try/one")
    heads, (line,) = other_cells(find_runs(tmp_path))
    said = dict(zip(heads, line, strict=True))
    assert said["folder"] == "try/one" and said["tau"] == "0.5" and said["seed"] == "3"
    assert said["accuracy"] == "61.2" and said["trainer"] == "CoOp"


def test_not_counted_keeps_its_lines():
    assert not_counted(["a", "b"]).lines == ["a", "b"]
