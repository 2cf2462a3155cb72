"""The table of base-to-new generalisation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from npt_plugin.evaluation.averages import harmonic_mean
from npt_plugin.evaluation.groups import GROUPS
from npt_plugin.report.averaging import H_OF_AVERAGES, MEAN_OF_H, Rule, Values
from npt_plugin.report.protocols.base import Table, by_frequency
from npt_plugin.runs.layout import Place
from npt_plugin.runs.units import Unit
from npt_plugin.sweep.protocols import PROTOCOLS

_PROTOCOL = PROTOCOLS["base2new"]
_HALVES = {_PROTOCOL.part("train").folder: "base", _PROTOCOL.part("new").folder: "new"}


class BaseToNew(Table):
    """Trained on the first half of the classes, tested on it and on the other half."""

    title, prefix = "Base-to-new generalisation", ""
    rules: tuple[Rule, ...] = (H_OF_AVERAGES, MEAN_OF_H)
    below: tuple[str, ...] = ("base", "H")
    grouped: str | None = "base"
    about = "; macro, many, medium and few are of the base classes"

    def part(self, place: Place) -> str | None:
        """``"base"`` or ``"new"``."""
        return _HALVES.get(place.part) if place.protocol == _PROTOCOL.folder else None

    def lacking(self, parts: Iterable[str]) -> str:
        """Both halves are needed."""
        missing = [half for half in ("base", "new") if half not in parts]
        return f"no completed run on the {' and '.join(missing)} classes" if missing else ""

    def columns(self, units: Sequence[Unit]) -> tuple[str, ...]:
        """Base, new and H; on the base classes also the mean of classes and of groups."""
        return ("base", "new", "H", "macro", *GROUPS)

    def values(self, unit: Unit, columns: Sequence[str]) -> Values:
        """H is of this seed's own base and new accuracy."""
        base, new = unit.metrics("base"), unit.metrics("new")["accuracy"]
        return {
            "base": base["accuracy"],
            "new": new,
            "H": harmonic_mean(base["accuracy"], new),
            **by_frequency(base),
        }

    def compared(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Base, new and H."""
        return ("base", "new", "H")
