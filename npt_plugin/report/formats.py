"""Tables of ready cells from summaries, as text, Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from tabulate import tabulate

from npt_plugin.report.averaging import MEAN

Cells = tuple[list[str], list[list[str]]]
"""Heads and rows of ready cells."""

_LABELS = ("trained on", "dataset", "tau", "shots")


def main_table(
    summary: Sequence[dict[str, Any]], columns: Sequence[str], every_seed: str = ""
) -> Cells:
    """``mean ± sd`` over seeds, accuracies in percent.

    Args:
        summary: From ``table.summarise``.
        columns: Accuracy columns.
        every_seed: A column whose value of every seed is shown too; empty: none.
    """
    said = labels_of(summary[0])
    heads = [*said, "trainer", "n", *columns]
    heads += [f"{every_seed} of each seed"] if every_seed else []
    lines, last = [], None
    for row, trainer in zip(summary, names_of(summary, "trainer"), strict=True):
        first = [f"{row[name]:g}" if name == "tau" else str(row[name]) for name in said]
        shown = first if first != last else [""] * len(first)
        last = first
        cells = [mean_cell(row, column) for column in columns]
        lines.append([*shown, trainer, str(row["n"]), *cells])
        if every_seed:
            lines[-1].append(each_seed(row, every_seed, ".1f"))
    return heads, lines


def difference_table(differences: Sequence[dict[str, Any]], columns: Sequence[str]) -> Cells:
    """Mean difference per column with its 95 % interval, and every seed's in the last column."""
    said = labels_of(differences[0])
    heads = [*said, "comparison", "n", *columns, f"{columns[-1]} of each seed"]
    lines = []
    for row, comparison in zip(differences, names_of(differences, "comparison"), strict=True):
        first = [f"{row[name]:g}" if name == "tau" else str(row[name]) for name in said]
        cells = [difference_cell(row, column) for column in columns]
        each = each_seed(row, columns[-1], "+.1f")
        lines.append([*first, comparison, str(row["n"]), *cells, each])
    return heads, lines


def labels_of(row: dict[str, Any]) -> list[str]:
    """Heads of the columns that say what a row is of."""
    return [name for name in _LABELS if name in row]


def names_of(rows: Sequence[dict[str, Any]], name: str) -> list[str]:
    """Trainers or comparisons; with their config where a dataset has one with several."""
    said = labels_of(rows[0])
    where = [(*(row[label] for label in said), row[name]) for row in rows]
    several = {row[name] for row, place in zip(rows, where, strict=True) if where.count(place) > 1}
    return [f"{r[name]} ({r['config']})" if r[name] in several else r[name] for r in rows]


def settings(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What each row is of, in words; a tau or number of shots that all share goes unsaid."""
    where, *others = labels_of(rows[0])
    vary = [name for name in others if len({row[name] for row in rows}) > 1]
    return [", ".join([str(row[where]), *(_said(row, name) for name in vary)]) for row in rows]


def one_average(
    rows: Sequence[dict[str, Any]], columns: Sequence[str], who: str
) -> list[dict[str, Any]]:
    """Rows in which averages by two rules that agree in the columns drawn are one.

    Args:
        rows: Of ``table.summarise`` or ``paired_differences``.
        columns: What is drawn of them.
        who: As for :func:`names_of`.
    """
    kept: list[dict[str, Any]] = []
    places: dict[str, int] = {}
    for row, name in zip(rows, names_of(rows, who), strict=True):
        drawn = [row.get(f"{c}{part}") for c in columns for part in ("", "_sd", "_interval")]
        key = str((name, at(row), drawn))
        if row["over"] and key in places:
            kept[places[key]] = {**row, labels_of(row)[0]: MEAN.name}
            continue
        if row["over"]:
            places[key] = len(kept)
        kept.append(row)
    return kept


def at(row: dict[str, Any]) -> str:
    """Tau and shots of a row, in words."""
    return ", ".join(_said(row, name) for name in labels_of(row)[1:])


def _said(row: dict[str, Any], name: str) -> str:
    return f"tau {row[name]:g}" if name == "tau" else f"{row[name]} shots"


def mean_cell(row: dict[str, Any], column: str) -> str:
    """``mean ± sd``, in percent."""
    if row[column] is None:
        return "-"
    sd = row[f"{column}_sd"]
    return f"{row[column]:.1f}" + ("" if sd is None else f" ± {sd:.1f}") + _fewer(row, column)


def difference_cell(row: dict[str, Any], column: str) -> str:
    """``mean [low, high]``, in percentage points."""
    if row[column] is None:
        return "-"
    ends = row[f"{column}_interval"]
    text = _rounded(row[column], "+.1f")
    if ends is not None:
        text += f" [{', '.join(_rounded(end, '+.1f') for end in ends)}]"
    return text + _fewer(row, column)


def _fewer(row: dict[str, Any], column: str) -> str:
    """Marks a cell of fewer seeds than its row."""
    n = len(row[f"{column}_values"])
    return "" if n == row["n"] else f" (n {n})"


def each_seed(row: dict[str, Any], column: str, form: str) -> str:
    """``seed: value`` of every seed; without the seeds where some lack the column."""
    values = [_rounded(value, form) for value in row[f"{column}_values"]]
    if len(values) < row["n"]:
        return ", ".join(values)
    return ", ".join(f"{s}: {v}" for s, v in zip(row["seeds"], values, strict=True))


def _rounded(value: float, form: str) -> str:
    return format(round(value, 1) + 0.0, form)  # no minus before a zero


def as_text(cells: Cells) -> str:
    """For a terminal, and as Markdown."""
    heads, lines = cells
    return tabulate(lines, heads, tablefmt="github", disable_numparse=True)


def as_latex(cells: Cells, caption: str) -> str:
    """A ``booktabs`` table.

    Args:
        cells: Plain text; what LaTeX would read as a command is escaped.
        caption: LaTeX text.
    """
    heads, lines = cells
    sides = ["left"] * min(3, len(heads)) + ["right"] * (len(heads) - 3)
    body = tabulate(lines, heads, "latex_booktabs", disable_numparse=True, colalign=sides)
    text = f"\\begin{{table}}\n\\centering\n\\caption{{{caption}}}\n{body}\n\\end{{table}}\n"
    return text.replace("±", r"$\pm$")


def as_csv(summary: Sequence[dict[str, Any]]) -> str:
    """One line a row, means at full precision; seeds, datasets and values of seeds as lists."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(summary[0]), lineterminator="\n")
    writer.writeheader()
    for row in summary:
        lists = {k: " ".join(map(str, v)) for k, v in row.items() if isinstance(v, list)}
        writer.writerow({**row, **lists})
    return buffer.getvalue()
