"""The runs of the methods benchmark as one table: JSON a run on disk, one CSV in the repository."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from npt_plugin.files import write_text

TEXT = ("method", "dataset", "rule", "config_hash")
Record = dict[str, Any]


def collect(output: str) -> list[Record]:
    """All records below a benchmark's output folder, in a fixed order."""
    paths = sorted((Path(output) / "runs").glob("*/*/*/*/*.json"))
    records = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    key = ("rule", "ratio", "method", "dataset", "seed")
    return sorted(records, key=lambda record: tuple(record[name] for name in key))


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
