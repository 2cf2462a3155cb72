"""The runs of the methods benchmark as one table, a CSV in the repository."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from npt_plugin.system.files import write_text

TEXT = ("kind", "method", "dataset", "rule", "config_hash")
KEY = ("rule", "ratio", "method", "dataset", "seed")
"""What tells a run from every other, and their order in the CSV."""

Record = dict[str, Any]


def key(record: Record) -> tuple[Any, ...]:
    """Which run a record is of: the values of ``KEY``."""
    return tuple(record[name] for name in KEY)


def merge(gathered: Sequence[Record], fresh: Sequence[Record]) -> list[Record]:
    """Records of both in a fixed order; where both hold a run, the fresh one."""
    runs = {key(record): record for record in (*gathered, *fresh)}
    return [runs[name] for name in sorted(runs)]


def write_csv(records: Sequence[Record], path: Path) -> None:
    """One line a run, numbers to five digits."""
    names = list(records[0])
    lines = [",".join(names)]
    lines += [",".join(_cell(record.get(name)) for name in names) for record in records]
    write_text(path, "\n".join(lines) + "\n")


def read_csv(path: Path) -> list[Record]:
    """What ``write_csv`` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{k: _value(k, v) for k, v in row.items()} for row in csv.DictReader(file)]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = f"{value:.5g}" if isinstance(value, float) else str(value)
    return f'"{text}"' if "," in text else text


def _value(name: str, text: str) -> Any:
    if name in TEXT:
        return text
    if name == "seed":
        return int(text)
    return float(text) if text else None
