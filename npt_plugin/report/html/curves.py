"""Accuracy across columns that are steps: shots, or many, medium and few; a panel a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from npt_plugin.report.formats import names_of, one_average, settings
from npt_plugin.report.html.marks import key, mark
from npt_plugin.report.html.scale import Scale, scale_of

WIDTH, HEIGHT = 340, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 330, 8, HEIGHT - 20
_MOST_PANELS = 12


def curves(summary: Sequence[dict[str, Any]], columns: Sequence[str]) -> str:
    """A line a trainer, through mean ± sd over seeds; panels of single datasets, then averages.

    Args:
        summary: From ``table.summarise``.
        columns: At least two, in order.

    Returns:
        HTML; empty if there is nothing to join. Of more than 12 panels the averages only.
    """
    summary = one_average(summary, columns, "trainer")
    panels: dict[str, list[tuple[dict[str, Any], str]]] = {}
    names: dict[str, None] = {}
    for row, name, said in zip(
        summary, names_of(summary, "trainer"), settings(summary), strict=True
    ):
        if _points(row, columns):
            panels.setdefault(said, []).append((row, name))
            names[name] = None
    if len(panels) > _MOST_PANELS:
        averages = {head: rows for head, rows in panels.items() if rows[0][0]["over"]}
        panels = averages or dict(list(panels.items())[:_MOST_PANELS])
    if len(columns) < 2 or not panels:
        return ""
    drawn = "".join(_panel(head, rows, columns, list(names)) for head, rows in panels.items())
    return f'{key([escape(name) for name in names])}<div class="panels">{drawn}</div>'


def _points(row: dict[str, Any], columns: Sequence[str]) -> list[tuple[int, float, float]]:
    """Place, mean and sd of the columns that a row has."""
    return [
        (i, row[column], row[f"{column}_sd"] or 0.0)
        for i, column in enumerate(columns)
        if row[column] is not None
    ]


def _panel(
    head: str,
    rows: Sequence[tuple[dict[str, Any], str]],
    columns: Sequence[str],
    names: Sequence[str],
) -> str:
    lines = [(names.index(name), _points(row, columns)) for row, name in rows]
    ends = [end for _, points in lines for _, mean, sd in points for end in (mean - sd, mean + sd)]
    y = scale_of(ends, _BOTTOM, _TOP)
    x = Scale(-0.3, len(columns) - 0.7, _LEFT, _RIGHT)
    drawn = "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT}" y1="{y(tick)}" y2="{y(tick)}"/>'
        f'<text x="{_LEFT - 5}" y="{y(tick)}" dy="4" text-anchor="end">{tick:g}</text>'
        for tick in y.ticks()
    )
    drawn += "".join(
        f'<text x="{x(i)}" y="{HEIGHT - 4}" text-anchor="middle">{escape(column)}</text>'
        for i, column in enumerate(columns)
    )
    drawn += "".join(_line(number, points, x, y, len(rows)) for number, points in lines)
    return (
        f'<figure><figcaption>{escape(head)}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img" aria-label="{escape(f"Accuracy (%) of {head}")}">{drawn}</svg></figure>'
    )


def _line(
    number: int, points: Sequence[tuple[int, float, float]], x: Scale, y: Scale, lines: int
) -> str:
    """One trainer's; set a little apart from the others, so that bars do not cover each other."""
    aside = 0.04 * (number - (lines - 1) / 2)
    path = " ".join(f"{x(i + aside)},{y(mean)}" for i, mean, _ in points)
    drawn = f'<polyline class="line c{number % 7}" points="{path}"/>'
    for i, mean, sd in points:
        at = x(i + aside)
        if sd:
            drawn += (
                f'<line class="line c{number % 7}" x1="{at}" x2="{at}" '
                f'y1="{y(mean - sd)}" y2="{y(mean + sd)}"/>'
            )
        drawn += mark(number, at, y(mean))
    return drawn
