"""Forest plot: every paired difference with its interval, around a line at 0."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from npt_plugin.report.formats import difference_cell, names_of, one_average, settings
from npt_plugin.report.html.scale import Scale, scale_of

HEIGHT = 18
"""Of a row, in CSS pixels."""


def leaves_out_zero(row: dict[str, Any], column: str) -> bool:
    """Whether the interval of a difference tells the two trainers apart."""
    ends = row[f"{column}_interval"]
    return ends is not None and (ends[0] > 0 or ends[1] < 0)


def forest(differences: Sequence[dict[str, Any]], column: str) -> str:
    """One plot: a row a comparison, drawn in percent of the width so that text keeps its size.

    Args:
        differences: From ``paired_differences``.
        column: The accuracy whose differences are drawn.

    Returns:
        HTML; empty if no row has the column.
    """
    differences = one_average(differences, [column], "comparison")
    names = names_of(differences, "comparison")
    several = len(set(names)) > 1
    labels = [
        f"{said}: {name}" if several else said
        for said, name in zip(settings(differences), names, strict=True)
    ]
    rows = [pair for pair in zip(differences, labels, strict=True) if pair[0][column] is not None]
    if not rows:
        return ""
    ends = [end for row, _ in rows for end in row[f"{column}_interval"] or (row[column],)]
    scale = scale_of([0.0, *ends], 3, 97)
    body = "".join(_row(row, column, scale, label) for row, label in rows)
    what = escape(column if several else f"{column}: {names[0]}")
    return (
        f'<figure class="forest"><figcaption>{what}, percentage points</figcaption>'
        f"{body}{_axis(scale)}</figure>"
    )


def _row(row: dict[str, Any], column: str, scale: Scale, label: str) -> str:
    apart = " apart" if leaves_out_zero(row, column) else ""
    whole = " average" if row["over"] else ""
    value = difference_cell(row, column)
    middle, at = HEIGHT / 2, scale(row[column])
    drawn = f'<line class="zero" x1="{scale(0)}%" x2="{scale(0)}%" y1="0" y2="{HEIGHT}"/>'
    if row[f"{column}_interval"] is not None:
        low, high = (scale(end) for end in row[f"{column}_interval"])
        drawn += f'<line class="span" x1="{low}%" x2="{high}%" y1="{middle}" y2="{middle}"/>'
    drawn += f'<circle class="dot" cx="{at}%" cy="{middle}" r="4.5"/>'
    return (
        f'<div class="row{apart}{whole}"><span>{escape(label)}</span><span>{escape(value)}</span>'
        f'<svg height="{HEIGHT}" role="img" aria-label="{escape(f"{label}: {value}")}">'
        f"{drawn}</svg></div>"
    )


def _axis(scale: Scale) -> str:
    ticks = "".join(
        f'<text x="{scale(tick)}%" y="12" text-anchor="middle">{tick:+g}</text>'
        if tick
        else f'<text x="{scale(0)}%" y="12" text-anchor="middle">0</text>'
        for tick in scale.ticks()
    )
    return f'<svg class="axis" height="16" aria-hidden="true">{ticks}</svg>'
