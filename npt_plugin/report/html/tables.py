"""Tables whose first column stays on screen: the trainer, with a line above for its setting."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import Any

from npt_plugin.report.formats import (
    Cells,
    difference_cell,
    each_seed,
    mean_cell,
    names_of,
    settings,
)
from npt_plugin.report.html.forest import leaves_out_zero

_WIDE = 9
"""Columns beyond which spread and interval go below their mean, for the page's width."""

_TEXT = '<td class="text">'
_NUMBER = re.compile(r"[+-]?\d*\.?\d+(\s|$)|-$")

Line = tuple[str, str, list[str], bool]
"""Setting and name (plain text), cells (HTML), and whether it is one of ours."""


def results_html(
    summary: Sequence[dict[str, Any]], columns: Sequence[str], every_seed: str = ""
) -> str:
    """Accuracies of every trainer.

    Args:
        summary: From ``table.summarise``.
        columns: In the order to show them.
        every_seed: A column whose value of every seed is shown last; empty: none.
    """
    lines = []
    names = names_of(summary, "trainer")
    for row, name, said in zip(summary, names, settings(summary), strict=True):
        cells = [_two(mean_cell(row, column), " ±") for column in columns]
        cells.append(f"<td>{row['n']}</td>")
        if every_seed:
            cells.append(_each(each_seed(row, every_seed, ".1f")))
        lines.append((said, name, cells, name.startswith("NPT_")))
    last = [f"{every_seed} of each seed"] if every_seed else []
    return _table(["trainer", *columns, "n", *last], lines)


def differences_html(
    differences: Sequence[dict[str, Any]], columns: Sequence[str], every_seed: str
) -> str:
    """Differences with their intervals; those whose interval leaves out 0 are strong.

    Args:
        differences: From ``paired_differences``.
        columns: In the order to show them.
        every_seed: A column whose difference of every seed is shown last.
    """
    lines = []
    names = names_of(differences, "comparison")
    for row, name, said in zip(differences, names, settings(differences), strict=True):
        cells = [
            _two(difference_cell(row, column), " [", leaves_out_zero(row, column))
            for column in columns
        ]
        cells += [f"<td>{row['n']}</td>", _each(each_seed(row, every_seed, "+.1f"))]
        lines.append((said, name, cells, False))
    return _table(["comparison", *columns, "n", f"{every_seed} of each seed"], lines)


def plain_html(cells: Cells) -> str:
    """Any other table, as it stands; a first column that repeats itself heads its rows."""
    heads, rows = cells
    grouped = len({first for first, *_ in rows}) < len(rows)
    lines = []
    for first, *rest in rows:
        said, name = (first, rest.pop(0)) if grouped else ("", first)
        lines.append((said, name, [_plain(cell) for cell in rest], False))
    return _table(heads[1:] if grouped else heads, lines)


def _plain(text: str) -> str:
    """Words to the left, numbers to the right."""
    number = _NUMBER.match(text) is not None
    return f"<td>{escape(text)}</td>" if number else f"{_TEXT}{escape(text)}</td>"


def _table(heads: Sequence[str], lines: Sequence[Line]) -> str:
    words = (
        {i for i, cell in enumerate(lines[0][2], 1) if cell.startswith(_TEXT)} if lines else set()
    )
    top = "".join(
        f'<th scope="col"{" class=text" if i in words else ""}>{_breakable(head)}</th>'
        for i, head in enumerate(heads)
    )
    bodies = []
    for said, group in groupby(lines, key=lambda line: line[0]):
        head = f'<tr class="group"><th colspan="{len(heads)}" scope="rowgroup">'
        head += f"<span>{escape(said)}</span></th></tr>"
        rows = "".join(
            f'<tr{" class=ours" if ours else ""}><th scope="row">{_breakable(name)}</th>'
            f"{''.join(cells)}</tr>"
            for _, name, cells, ours in group
        )
        bodies.append(f"<tbody>{head if said else ''}{rows}</tbody>")
    tight = " tight" if len(heads) > _WIDE + 2 else ""
    return (
        f'<div class="scroll" tabindex="0"><table class="data{tight}"><thead><tr>{top}</tr></thead>'
        f"{''.join(bodies)}</table></div>"
    )


def _breakable(name: str) -> str:
    return escape(name).replace("_", "_<wbr>").replace("+", "+<wbr>")


def _two(text: str, mark: str, strong: bool = False) -> str:
    """A cell of a mean and its spread, which go below each other where room is short."""
    mean, _, spread = text.partition(mark)
    shown = escape(mean)
    if spread:
        spread = escape(mark.strip() + spread).replace("± ", "±&nbsp;")
        shown += f' <span class="spread">{spread}</span>'
    return f"<td><strong>{shown}</strong></td>" if strong else f"<td>{shown}</td>"


def _each(text: str) -> str:
    return f'<td class="each">{escape(text)}</td>'
