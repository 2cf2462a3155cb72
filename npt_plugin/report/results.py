"""The results of one protocol: rows, paired differences and notes, made from the runs found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from npt_plugin.errors import UserError, nearest_hint
from npt_plugin.report import notes
from npt_plugin.report.differences import paired_differences
from npt_plugin.report.fairness import mixed_settings
from npt_plugin.report.protocols import OPEN_WORLD, TABLES, Table
from npt_plugin.report.reference import with_reference
from npt_plugin.report.table import add_averages, rows_of, summarise
from npt_plugin.runs.collect import Found
from npt_plugin.runs.units import Twins, Unit, group
from npt_plugin.runs.variants import Method, method_name


@dataclass(frozen=True)
class Results:
    """What the report says of one protocol.

    Attributes:
        table: The protocol's table.
        units: The runs, one entry a seed of a row.
        twins: Runs that another of the same setting stands in for.
        columns: Accuracy columns.
        summary: One dict a row.
        differences: One dict a comparison: of NPT with its base trainer, of all with a reference.
        notes: Runs that must not hide in a mean, a line each.
        foot: What the averages and the groups of classes mean, a line each.
    """

    table: Table
    units: list[Unit]
    twins: list[Twins]
    columns: tuple[str, ...]
    summary: list[dict[str, Any]]
    differences: list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)
    foot: list[str] = field(default_factory=list)

    @property
    def compared(self) -> tuple[str, ...]:
        """Columns of the differences; every seed of the last one is shown."""
        return self.table.compared(self.columns)


def results_of(table: Table, found: Found, reference: Method | None = None) -> Results | None:
    """The results of one protocol, compared with a method too; None if no unit is complete."""
    units, twins = group(found.completed, table)
    if not units:
        return None
    units = table.settled(with_reference(units))
    columns = table.columns(units)
    rows = add_averages(rows_of(table, units, columns), table.rules)
    grouped = [(u.key, u.runs[table.grouped]) for u in units if table.grouped is not None]
    return Results(
        table,
        units,
        twins,
        columns,
        summarise(table, rows, columns),
        paired_differences(table, rows, table.compared(columns), reference),
        [
            *notes.weak_runs(rows, table.below, {unit.key: unit.backbone for unit in units}),
            *mixed_settings(units),
            *table.remarks(units),
            *notes.uneven_averages(rows),
            *notes.twin_runs(found, twins),
        ],
        notes.rules(rows, table.rules) + notes.thresholds(grouped),
    )


def all_results(
    found: Found, reference: Method | None = None, open_world: bool = False
) -> list[Results]:
    """The results of every protocol that was run.

    Args:
        found: What stands below the output folder.
        reference: A method that all others are compared with.
        open_world: Whether base and new classes are judged together, too.

    Raises:
        UserError: If the reference was not run; what was is named.
    """
    wanted = (*TABLES, OPEN_WORLD) if open_world else TABLES
    tables = [results_of(table, found, reference) for table in wanted]
    results = [made for made in tables if made is not None]
    ran = {method_name(unit.key.trainer, unit.key.config) for r in results for unit in r.units}
    if reference is not None and results and str(reference) not in ran:
        raise UserError(
            f"--reference is {reference}, which was not run{nearest_hint(str(reference), ran)}; "
            f"there are {', '.join(sorted(ran))}."
        )
    return results
