"""What must not hide in a mean: weak runs, runs left out, uneven averages, group thresholds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from npt_plugin.evaluation.groups import GROUPS
from npt_plugin.report.averaging import Rule
from npt_plugin.report.differences import below_zero_shot
from npt_plugin.report.table import Rows
from npt_plugin.runs.collect import Found, Run
from npt_plugin.runs.units import Key, Twins, Unit, ranked
from npt_plugin.runs.variants import method_name


def weak_runs(rows: Rows, columns: Sequence[str], backbones: Mapping[Key, str]) -> list[str]:
    """One line for each row of which runs are below zero-shot CLIP: in what, and how far."""
    flagged: dict[Key, list[dict[str, Any]]] = {}
    for flag in below_zero_shot(rows, columns, backbones):
        flagged.setdefault(flag["key"], []).append(flag)
    return [
        f"Below zero-shot CLIP: {key.dataset}, tau {key.ratio:g}, "
        f"{method_name(key.trainer, key.config)}, {_below(flags, columns)}"
        for key, flags in flagged.items()
    ]


def _below(flags: Sequence[dict[str, Any]], columns: Sequence[str]) -> str:
    """``seed 1: base 70.0 < 71.0``, or ``3 seeds: base of 2 at most 70.0 < 71.0``."""
    one = len(flags) == 1
    said = []
    for column in columns:
        pairs = [flag["below"][column] for flag in flags if column in flag["below"]]
        if pairs:
            lowest, zero = min(ours for ours, _ in pairs), pairs[0][1]
            of = "" if one else f" of {len(pairs)}, down to"
            said.append(f"{column}{of} {lowest:.1f} < {zero:.1f}")
    seeds = f"seed {flags[0]['seed']}" if one else f"{len(flags)} seeds"
    return f"{seeds}: {', '.join(said)}"


def twin_runs(found: Found, twins: Sequence[Twins]) -> list[str]:
    """One line for each pair of completed runs of one setting."""
    return [
        f"Two completed runs of one setting: {found.name(pair.shown)} is shown, "
        f"{found.name(pair.other)} is not."
        for pair in twins
    ]


def left_out(found: Found, units: Sequence[Unit], twins: Sequence[Twins]) -> list[str]:
    """One line for each run in no table, with the reason."""
    used = {run.folder for unit in units for run in unit.runs.values()}
    used |= {pair.other.folder for pair in twins}
    lines = [
        f"Not counted: {found.name(run)}: completed, but a run that its table needs beside it is "
        "not (the other classes, or a target dataset)"
        for run in found.completed
        if run.folder not in used
    ]
    for run in found.unfinished:
        reason = run.record.reason or "it was killed, or is still running"
        lines.append(f"Not counted: {found.name(run)}: {run.record.status}, {reason}")
    return lines


def uneven_averages(rows: Rows) -> list[str]:
    """One line where trainers of one setting are averaged over different datasets."""
    covered: dict[tuple[object, ...], dict[tuple[str, ...], list[str]]]
    covered = defaultdict(lambda: defaultdict(list))
    for key in ranked(rows):
        if key.over:
            covered[key.ratio, key.shots, key.dataset][key.over].append(key.trainer)
    lines = []
    for (ratio, _, _), sets in covered.items():
        if len(sets) > 1:
            said = "; ".join(f"{', '.join(who)}: {', '.join(over)}" for over, who in sets.items())
            lines.append(f"Averages at tau {ratio:g} are over different datasets: {said}")
    return list(dict.fromkeys(lines))


def rules(rows: Rows, known: Sequence[Rule]) -> list[str]:
    """What the rows of averages hold, one line for each rule that needs one."""
    shown = {key.dataset for key in rows}
    return [f"{rule.name}: {rule.about}" for rule in known if rule.about and rule.name in shown]


def thresholds(runs: Sequence[tuple[Key, Run]]) -> list[str]:
    """Which training counts made a class many-, medium- or few-shot, and groups without a class.

    Args:
        runs: Those whose groups the table shows, with their rows.
    """
    said: dict[str, set[str]] = defaultdict(set)
    for key, run in runs:
        limits = run.record.thresholds
        if limits is None:
            continue
        many, few = limits["many_above"], limits["few_below"]
        text = f"many-shot classes have more than {many:g} training images, few-shot fewer than "
        text += f"{few:g}, medium-shot the rest"
        empty = [g for g in GROUPS if run.metrics.get(g) is None]
        text += f"; no class is {' or '.join(f'{g}-shot' for g in empty)}" if empty else ""
        shots = f"{key.shots} shots at " if key.shots and key.shots > 0 else f"{key.dataset}, "
        said[text].add(f"{shots}tau {key.ratio:g}")
    return [f"Groups of {', '.join(sorted(where))}: {text}." for text, where in said.items()]
