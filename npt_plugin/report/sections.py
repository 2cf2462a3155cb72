"""The sections of the report, for Markdown and HTML alike: heading, caption, table, lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from npt_plugin.report.beside import CAPTION, beside_table
from npt_plugin.report.formats import Cells, difference_table, main_table
from npt_plugin.report.long_tailed import long_tailed_table
from npt_plugin.report.protocols import BASE_TO_NEW, LONG_TAIL
from npt_plugin.report.published import (
    balanced_rows,
    balanced_table,
    imbalanced_table,
    protocol_differences,
)
from npt_plugin.report.results import Results
from npt_plugin.runs.collect import Found

DIFFERENCES = (
    "NPT minus its base trainer, seed by seed: mean [95 % t-interval]. An interval that holds 0 "
    "does not tell the two apart."
)
OTHER_RUNS = "Completed runs outside the folders of a protocol, such as of a plain --output-dir."
_RERUN = "Re-run here. Accuracy in percent, mean ± sd over n seeds"
_PUBLISHED = "Published: copied from the papers, not re-run here."
_LONG_TAILED = (
    f"{_PUBLISHED} Many, medium, few: mean of the classes' accuracies (%). Compare rows of one "
    "backbone and view only; figures that could be read nowhere are left out."
)


@dataclass(frozen=True)
class Section:
    """A heading, a sentence below it, a table or none, and bullet lines."""

    head: str
    caption: str
    cells: Cells | None = None
    lines: list[str] = field(default_factory=list)


def caption(results: Results) -> str:
    """What the numbers of a protocol's table are."""
    return f"{_RERUN}{results.table.about}."


def sections_of(results: Results) -> list[Section]:
    """All of one protocol."""
    title = results.table.title
    cells = main_table(results.summary, results.columns, every_seed=results.compared[-1])
    made = [Section(f"{title}: results, re-run here", caption(results), cells, results.foot)]
    if results.differences:
        cells = difference_table(results.differences, results.compared)
        made.append(Section(f"{title}: paired differences", DIFFERENCES, cells))
    if results.notes:
        head = f"{title}: runs to look at"
        made.append(Section(head, "They are in the means above.", lines=results.notes))
    return made


def beside(results: Results) -> list[Section]:
    """What the runs of a protocol have tested beside their results, if anything."""
    cells = beside_table(results)
    head = f"{results.table.title}: tested beside the results"
    return [] if cells is None else [Section(head, CAPTION, cells)]


def published(results: Results) -> list[Section]:
    """Published numbers beside ours: averages of base-to-new, and long-tailed datasets."""
    if results.table is LONG_TAIL:
        cells = long_tailed_table(results.summary, results.units)
        return [Section("Published, long-tailed", _LONG_TAILED, cells)] if cells[1] else []
    if results.table is not BASE_TO_NEW:
        return []
    balanced = balanced_table(balanced_rows(results.summary))
    differing = protocol_differences(results.units)
    imbalanced = imbalanced_table(results.summary)
    return [
        Section(
            "Published, balanced",
            f"{_PUBLISHED} Averages are H of the averages; ours are beside them by that rule.",
            balanced,
            differing,
        ),
        Section(
            "Published, imbalanced",
            f"Mean of the datasets' H, over 11 datasets; ours are beside them by that rule. "
            f"{_PUBLISHED}",
            imbalanced,
        ),
    ]


def other_cells(found: Found) -> Cells:
    """A row for each completed run that stands in no protocol's layout."""
    heads = ["folder", "trainer", "dataset", "classes", "tau", "shots", "seed", "accuracy", "macro"]
    lines = []
    for run in found.elsewhere:
        record, metrics = run.record, run.metrics
        numbers = [f"{metrics[name]:.1f}" for name in ("accuracy", "macro_accuracy")]
        said = [record.trainer, record.dataset, record.classes]
        setting = [f"{record.ratio:g}", str(record.shots), str(record.seed)]
        lines.append([found.name(run), *said, *setting, *numbers])
    return heads, lines


def not_counted(lines: Sequence[str]) -> Section:
    """Runs that are in no table, with their reasons."""
    return Section("Runs that are not counted", "They are in no table.", lines=list(lines))
