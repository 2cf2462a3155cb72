"""The report's tables as text, Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from tabulate import tabulate

from npt_plugin.report.differences import COMPARED
from npt_plugin.report.table import COLUMNS

Table = tuple[list[str], list[list[str]]]
"""Heads and rows of ready cells."""


def main_table(table: Sequence[dict[str, Any]], seeds: bool = False) -> Table:
    """``mean ± sd`` over seeds, accuracies in percent; with ``seeds`` also every seed's H."""
    heads = ["dataset", "tau", "shots", "trainer", "n", *COLUMNS]
    heads += ["H of each seed"] if seeds else []
    lines, last = [], None
    for row in table:
        first = (row["dataset"], f"{row['tau']:g}", str(row["shots"]))
        shown = first if first != last else ("", "", "")
        last = first
        line = [*shown, row["trainer"], str(row["n"]), *(_cell(row, c) for c in COLUMNS)]
        if seeds:
            each = zip(row["seeds"], row["H_values"], strict=True)
            line.append(", ".join(f"{seed}: {value:.1f}" for seed, value in each))
        lines.append(line)
    return heads, lines


def _cell(row: dict[str, Any], column: str) -> str:
    if row[column] is None:
        return "-"
    sd = row[f"{column}_sd"]
    return f"{row[column]:.1f}" + ("" if sd is None else f" ± {sd:.1f}")


def difference_table(differences: Sequence[dict[str, Any]]) -> Table:
    """Mean difference per column, with its 95 % interval and every seed's difference in H."""
    heads = ["dataset", "tau", "shots", "comparison", "n", *COMPARED, "H of each seed"]
    lines = []
    for row in differences:
        cells = []
        for column in COMPARED:
            ends = row[f"{column}_interval"]
            text = _signed(row[column])
            cells.append(
                text if ends is None else f"{text} [{_signed(ends[0])}, {_signed(ends[1])}]"
            )
        each = zip(row["seeds"], row["H_values"], strict=True)
        each = ", ".join(f"{seed}: {_signed(value)}" for seed, value in each)
        lines.append(
            [
                *(row["dataset"], f"{row['tau']:g}", str(row["shots"])),
                *(row["comparison"], str(row["n"]), *cells, each),
            ]
        )
    return heads, lines


def published_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Published base-to-new numbers, with their sources."""
    heads = ["dataset", "method", "base", "new", "H", "source"]
    return heads, [
        [
            r["dataset"],
            f"{r['method']} (published)",
            *(f"{r[c]:.2f}" for c in COMPARED),
            r["source"],
        ]
        for r in rows
    ]


def imbalanced_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Published H under imbalance: a row a method, a column a ratio."""
    ratios = sorted({row["tau"] for row in rows}, reverse=True)
    found = {(row["method"], row["tau"]): row["H_average_11_datasets"] for row in rows}
    heads = ["method", *(f"tau {ratio:g}" for ratio in ratios), "source"]
    lines = []
    for method in dict.fromkeys(row["method"] for row in rows):
        values = [found.get((method, ratio)) for ratio in ratios]
        source = next(row["source"] for row in rows if row["method"] == method)
        cells = ["-" if v is None else f"{v:.2f}" for v in values]
        lines.append([f"{method} (published)", *cells, source])
    return heads, lines


def as_text(table: Table) -> str:
    """For a terminal, and as Markdown."""
    heads, lines = table
    return tabulate(lines, heads, tablefmt="github", disable_numparse=True)


def as_latex(table: Table, caption: str) -> str:
    """A ``booktabs`` table."""
    heads, lines = table

    def row(cells: Sequence[str]) -> str:
        return " & ".join(_latex(cell) for cell in cells) + r" \\"

    left = min(3, len(heads))
    body = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_latex(caption)}}}",
        rf"\begin{{tabular}}{{{'l' * left}{'r' * (len(heads) - left)}}}",
        r"\toprule",
        row(heads),
        r"\midrule",
        *(row(line) for line in lines),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(body) + "\n"


def _signed(value: float) -> str:
    return f"{round(value, 1) + 0.0:+.1f}"  # no minus before a zero


def _latex(text: str) -> str:
    for plain, escaped in (
        ("\\", r"\textbackslash "),
        ("_", r"\_"),
        ("%", r"\%"),
        ("&", r"\&"),
        ("#", r"\#"),
        ("±", r"$\pm$"),
        ("τ", r"$\tau$"),
    ):
        text = text.replace(plain, escaped)
    return text


def as_csv(table: Sequence[dict[str, Any]]) -> str:
    """One line a row and column means at full precision, every seed's H besides."""
    heads = ["dataset", "tau", "shots", "trainer", "config", "n", "seeds"]
    heads += [name for c in COLUMNS for name in (c, f"{c}_sd")]
    heads += ["base_values", "new_values", "H_values"]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, heads, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in table:
        lists = {k: " ".join(map(str, v)) for k, v in row.items() if isinstance(v, list)}
        writer.writerow({**row, **lists})
    return buffer.getvalue()
