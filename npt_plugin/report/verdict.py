"""What the comparisons come to, in a sentence each, for the top of the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from npt_plugin.report.formats import at, difference_cell
from npt_plugin.report.results import Results

NOTHING = "No trainer was run beside its NPT_ version with the same seeds: nothing is compared."


def verdicts(results: Results) -> list[str]:
    """One sentence for every comparison at every tau and number of shots.

    It is that of the average over datasets by the protocol's first rule, where there is one; else
    that of the only dataset, or how many datasets point which way.

    Args:
        results: Of one protocol.
    """
    column = results.compared[-1]
    settings: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in results.differences:
        if row[column] is not None:
            key = (row["comparison"], row["tau"], row.get("shots"))
            settings.setdefault(key, []).append(row)
    first = [rule.name for rule in results.table.rules[:1]]
    where, protocol = results.table.where, results.table.title.lower()
    return [
        sentence
        for rows in settings.values()
        for sentence in _of_setting(
            rows, column, where, protocol, [r for r in rows if r[where] in first]
        )
    ]


def _of_setting(
    rows: Sequence[dict[str, Any]],
    column: str,
    where: str,
    protocol: str,
    averages: Sequence[dict[str, Any]],
) -> list[str]:
    single = [row for row in rows if not row["over"]]
    chosen = averages or (single if len(single) == 1 else [])
    if not chosen:
        ours, base = single[0]["comparison"].split(" - ")
        text = f"{ours} and {base} in {protocol}: {column}, {at(single[0])}, is"
        return [f"{text} {_counts(single, column)}."]
    sentences = []
    for row in chosen:
        over = f"{row[where]} over {len(row['over'])} datasets" if row["over"] else row[where]
        seeds = f"{row['n']} seeds" if row["n"] > 1 else "one seed"
        text = f"{_said(row, column)} in {protocol}: {column} {difference_cell(row, column)}, "
        text += f"{over}, {at(row)}, {seeds}"
        text += f". Dataset by dataset: {_counts(single, column)}" if row["over"] else ""
        sentences.append(f"{text}.")
    return sentences


def _sign(row: dict[str, Any], column: str) -> int | None:
    """1: above, -1: below, 0: not told apart; None for one seed, which has no interval."""
    ends = row[f"{column}_interval"]
    return None if ends is None else int(ends[0] > 0) - int(ends[1] < 0)


def _said(row: dict[str, Any], column: str) -> str:
    ours, base = row["comparison"].split(" - ")
    sign = _sign(row, column)
    if sign is None:
        return f"One seed cannot tell {ours} from {base}"
    if sign == 0:
        return f"{ours} and {base} are not told apart"
    return f"{ours} is {'above' if sign > 0 else 'below'} {base}"


def _counts(rows: Sequence[dict[str, Any]], column: str) -> str:
    """How many datasets point which way."""
    signs = [_sign(row, column) for row in rows]
    said = (
        (1, "above on"),
        (-1, "below on"),
        (0, "not told apart on"),
        (None, "known by one seed only on"),
    )
    return ", ".join(f"{text} {signs.count(sign)}" for sign, text in said if sign in signs)
