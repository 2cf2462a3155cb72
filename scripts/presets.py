"""Writes ``npt_plugin/reproduction/presets.json``: the locked presets of the published tables.

python scripts/presets.py

Only for a table that is new, or whose preset was wrong; say in CHANGELOG.md which key and why.
"""

from __future__ import annotations

import json
from pathlib import Path

import npt_plugin.reproduction
from npt_plugin.registration import register_all
from npt_plugin.reproduction.presets import presets_of
from npt_plugin.reproduction.tables import TABLES
from npt_plugin.runs.configs import configs_folder

FILE = Path(npt_plugin.reproduction.__file__).with_name("presets.json")


def text() -> str:
    """The presets of every table, as JSON."""
    register_all(base=True)
    found = {
        name: presets_of(table.grid("", "").jobs(), configs_folder())
        for name, table in TABLES.items()
    }
    return json.dumps(found, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
