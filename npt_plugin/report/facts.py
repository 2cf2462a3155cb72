"""What the numbers are of, for the top of the report: date, backbone, setting, rule of averages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from npt_plugin.report.results import Results
from npt_plugin.runs.layout import ALL_SHOTS
from npt_plugin.system.version import VERSION

Facts = list[tuple[str, str]]
"""Names and values, in plain text."""


def facts(results: Sequence[Results], written: date) -> Facts:
    """Name and value of each fact.

    Args:
        results: Of every protocol that was run.
        written: Date of the report.
    """
    units = [unit for one in results for unit in one.units]
    backbones = sorted({unit.backbone_in_full or "not recorded" for unit in units})
    found = [("Written", f"{written:%Y-%m-%d} by npt_plugin {VERSION}")]
    found += [("Backbone", ", ".join(backbones))] if units else []
    found += [(one.table.title, _setting(one)) for one in results]
    found += [("Averages", text) for text in _rules(results)]
    return found


def _setting(results: Results) -> str:
    keys = [unit.key for unit in results.units]
    datasets = sorted({key.dataset for key in keys})
    where = "trained on " if results.table.where != "dataset" else ""
    said = [f"{where}{', '.join(datasets)}", f"tau {_list({key.ratio for key in keys})}"]
    shots = {key.shots for key in keys if key.shots is not None}
    if shots:
        said.append(f"{_list(shots)} shots".replace(f"{ALL_SHOTS} ", "all "))
    else:  # they are the columns
        said.append(", ".join(results.columns))
    return "; ".join([*said, f"seeds {_list({unit.seed for unit in results.units})}"])


def _list(numbers: set[int] | set[float]) -> str:
    return ", ".join(f"{number:g}" for number in sorted(numbers))


def _rules(results: Sequence[Results]) -> list[str]:
    """The first rule of each protocol whose averages are in its table."""
    said: dict[str, None] = {}
    for one in results:
        names = {row[one.table.where] for row in one.summary}
        rules = [rule for rule in one.table.rules if rule.name in names]
        if rules:
            first = f"{rules[0].name}: {rules[0].about or 'mean of the datasets, by column.'}"
            others = ", ".join(rule.name for rule in rules[1:])
            said[f"{first} Beside it: {others}." if others else first] = None
    return list(said)
