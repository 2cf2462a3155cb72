"""Print the comparison and the verdict, and write both with the record of the environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from npt_plugin.report.formats import Cells, as_text
from npt_plugin.reproduction.comparing import MISSING, Compared, Comparison
from npt_plugin.reproduction.data_at_hand import Verified
from npt_plugin.reproduction.environment import environment
from npt_plugin.reproduction.verdict import Verdict, verdict_of
from npt_plugin.system.files import write_json, write_text


def write(comparison: Comparison, verified: Mapping[str, Verified], output: Path) -> Verdict:
    """Write ``reproduce_TABLE.md`` and ``.json`` into ``output``; returns the verdict.

    Args:
        comparison: What was compared.
        verified: The datasets, by name.
        output: Top folder of the runs.
    """
    table, verdict = comparison.table, verdict_of(comparison)
    lines = [table.title, "", as_text(cells(comparison)), ""]
    lines += [_absent(verified)] if _absent(verified) else []
    lines += [f"not the preset: {key} ({', '.join(n)})" for key, n in comparison.drifts.items()]
    lines += [f"Note: {table.note.strip()}"] if table.note else []
    sources = dict.fromkeys(one.figure.source for one in comparison.figures)
    lines += [f"Published: {'; '.join(sources)}.", f"Verdict: {verdict}."]
    text = "\n".join(lines)
    print(text)
    stem = output / f"reproduce_{table.name}"
    write_text(stem.with_suffix(".md"), f"# {text}\n")
    write_json(stem.with_suffix(".json"), _as_json(comparison, verdict, verified))
    print(f"Written: {stem}.md, {stem}.json (fit to be shared: no path of this machine is in it)")
    return verdict


def cells(comparison: Comparison) -> Cells:
    """A row a figure: published, ours, difference, tolerance, verdict."""
    heads = ["trainer", "dataset", "column", "published", "ours", "n", "difference", "tolerance"]
    several = len(comparison.table.ratios) > 1
    heads = ["tau", *heads] if several else heads
    rows = []
    for one in comparison.figures:
        figure = one.figure
        row = [figure.trainer, figure.dataset, figure.column, f"{figure.value:.2f}", *_ours(one)]
        rows.append([f"{figure.tau:g}", *row] if several else row)
    return [*heads, "verdict"], rows


def _ours(one: Compared) -> list[str]:
    if one.ours is None or one.difference is None:
        return ["-", "-", "-", "-", MISSING]
    sd = "" if one.sd is None else f" ± {one.sd:.2f}"
    numbers = [f"{one.ours:.2f}{sd}", str(one.n), f"{one.difference:+.2f}", f"{one.tolerance:.2f}"]
    return [*numbers, one.verdict]


def _absent(verified: Mapping[str, Verified]) -> str:
    absent = [name for name, found in verified.items() if not found.there]
    other = [name for name, found in verified.items() if found.as_published is False]
    said = [f"Datasets that are not there: {', '.join(absent)}."] if absent else []
    said += [f"Not the published split: {', '.join(other)}."] if other else []
    return "\n".join(said)


def _as_json(
    comparison: Comparison, verdict: Verdict, verified: Mapping[str, Verified]
) -> dict[str, Any]:
    return {
        "schema": 1,
        "table": comparison.table.name,
        "verdict": verdict.word,
        "text": verdict.text,
        "seeds": list(comparison.seeds),
        "not_the_preset": comparison.drifts,
        "missing_runs": comparison.missing,
        "figures": [
            {
                "trainer": one.figure.trainer,
                "tau": one.figure.tau,
                "dataset": one.figure.dataset,
                "column": one.figure.column,
                "published": one.figure.value,
                "source": one.figure.source,
                "ours": one.ours,
                "sd": one.sd,
                "n": one.n,
                "tolerance": one.tolerance,
                "verdict": one.verdict,
            }
            for one in comparison.figures
        ],
        "environment": environment(comparison, verified),
    }
