"""Settings that differ where a table suggests that only the seed or the method does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from npt_plugin.runs.config_tree import config_difference
from npt_plugin.runs.units import Key, Unit, ranked


def mixed_settings(units: Sequence[Unit]) -> list[str]:
    """One line for each row whose seeds, or whose base trainer, were run with other settings.

    Args:
        units: Of one protocol.
    """
    rows: dict[Key, list[Unit]] = defaultdict(list)
    for unit in sorted(units, key=lambda unit: unit.seed):
        rows[unit.key].append(unit)
    lines = []
    for key in ranked(rows):
        first, *others = rows[key]
        for other in others:
            apart = _apart(first, other, {"SEED"})
            if apart:
                lines.append(
                    f"Other settings in one row: {_said(key)}, seed {first.seed} -> {other.seed}: "
                    f"{'; '.join(apart)}"
                )
        base = replace(key, trainer=key.trainer.removeprefix("NPT_"))
        if base == key:
            continue
        for ours in rows[key]:
            for theirs in (unit for unit in rows.get(base, []) if unit.seed == ours.seed):
                apart = [text for text in _apart(theirs, ours) if not text.startswith("TRAINER.")]
                if apart:
                    lines.append(
                        f"Compared at other settings: {_said(key)}, seed {ours.seed}, "
                        f"{base.trainer} -> {key.trainer}: {'; '.join(apart)}"
                    )
    return lines


def _apart(first: Unit, second: Unit, expected: set[str] | None = None) -> list[str]:
    """``KEY: one -> other`` in the parts that both have, but for keys ``expected`` to differ."""
    found: dict[str, None] = {}
    for part in first.runs.keys() & second.runs.keys():
        old, new = (unit.runs[part].record.config for unit in (first, second))
        for text in config_difference(old, new):
            if text.partition(":")[0] not in (expected or ()):
                found[text] = None
    return sorted(found)


def _said(key: Key) -> str:
    return f"{key.dataset}, tau {key.ratio:g}, {key.trainer}"
