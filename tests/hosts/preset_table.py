"""The table of known differences, and what is left of a comparison once it is applied."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from npt_plugin.config import KEYS

ABSENT = "absent"
TABLE = Path(__file__).parent / "preset_differences.yaml"
_DEFAULTS = {key.name: key.default for key in KEYS}


@cache
def table() -> dict[str, list[dict[str, Any]]]:
    """``keys`` and ``configs``: rows of the table."""
    rows: dict[str, list[dict[str, Any]]] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return rows


def differences(
    where: str, theirs: dict[str, Any], ours: dict[str, Any], used: set[int] | None = None
) -> list[str]:
    """Every effective key that differs and is not explained.

    Args:
        where: Name of the run.
        theirs, ours: Flat configs.
        used: Takes the numbers of the rows that explained something.

    Returns:
        Lines ``KEY: theirs -> ours``.
    """
    left = []
    for key in sorted({*theirs, *ours}):
        pair = theirs.get(key, ABSENT), ours.get(key, ABSENT)
        if pair[0] == pair[1]:
            continue
        row = next((i for i, r in enumerate(table()["keys"]) if _explains(r, where, key, pair)), -1)
        if row < 0:
            left.append(f"{key}: {pair[0]} -> {pair[1]}")
        elif used is not None:
            used.add(row)
    return left


def _explains(row: dict[str, Any], where: str, key: str, pair: tuple[Any, Any]) -> bool:
    if not (fnmatchcase(key, row["key"]) and fnmatchcase(where, row.get("where", "*"))):
        return False
    theirs, ours = pair
    if row.get("ours") == "default":
        return theirs == ABSENT and ours == _DEFAULTS.get(key, ABSENT)
    return row.get("theirs", theirs) == theirs and row.get("ours", ours) == ours


def as_markdown() -> str:
    """The table as the documentation shows it."""
    lines = ["| what | runs | theirs | ours | why |", "|---|---|---|---|---|"]
    for row in table()["keys"]:
        theirs, ours = (f"{row[side]}" if side in row else "" for side in ("theirs", "ours"))
        where = row.get("where", "all").replace("* ", "").replace(" *", "").replace("*", "...")
        lines.append(f"| `{row['key']}` | {where} | {theirs} | {ours} | {row['reason']} |")
    for row in table()["configs"]:
        lines.append(f"| file `{row['config']}.yaml` | | there | absent | {row['reason']} |")
    return "\n".join(lines) + "\n"
