"""The table of base and new classes judged together, shown on demand."""

from __future__ import annotations

from collections.abc import Sequence

from npt_plugin.evaluation.open_world import MEASURES
from npt_plugin.report.averaging import MEAN, Values
from npt_plugin.report.protocols.base_to_new import BaseToNew
from npt_plugin.runs.units import Unit


class OpenWorld(BaseToNew):
    """The units of base-to-new; what their tests on new classes say of all names together."""

    title, prefix = "Base and new classes together", "open_world_"
    rules = (MEAN,)
    below = ()
    grouped = None
    about = f"; {'; '.join(f'{name}: {said}' for name, said in MEASURES.items())}"

    def columns(self, units: Sequence[Unit]) -> tuple[str, ...]:
        """Every scalar measure."""
        return tuple(MEASURES)

    def values(self, unit: Unit, columns: Sequence[str]) -> Values:
        """As the record has them; None throughout where it has none."""
        found = unit.metrics("new").get("open_world") or {}
        return {name: found.get(name) for name in columns}

    def compared(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Detection, both tasks at once, and the pull of base classes."""
        return ("joint_H", "auroc", "new_taken", "pull", "openworld_auc")

    def remarks(self, units: Sequence[Unit]) -> list[str]:
        """How many runs have no measures."""
        without = [unit for unit in units if not unit.metrics("new").get("open_world")]
        if not without:
            return []
        trainers = ", ".join(sorted({unit.key.trainer for unit in without}))
        return [
            f"Without these measures: {len(without)} of {len(units)} runs ({trainers}): tested by "
            "an earlier version, or left out as their logs say. Remove a run's test_new folder and "
            "repeat the sweep to have them."
        ]
