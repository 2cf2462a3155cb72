"""Writes ``npt_plugin/cli/completion.json``, what a shell can complete, of the parsers themselves.

python scripts/completion_table.py
"""

from __future__ import annotations

import argparse
import importlib
import json
from typing import Any

from npt_plugin.cli.completion import TABLE
from npt_plugin.cli.list import KINDS
from npt_plugin.cli.main import COMMANDS
from npt_plugin.config import extend_cfg
from npt_plugin.engine.framework import get_cfg_default
from npt_plugin.runs.config_tree import config_as_dict, flatten
from npt_plugin.runs.configs import DATASETS, configs_folder
from npt_plugin.sweep.protocols import PROTOCOLS

TAKES = {
    "backbone": "backbones",
    "config": "configs",
    "config_file": "configs",
    "dataset": "datasets",
    "dataset_config_file": "datasets",
    "datasets": "datasets",
    "name": "datasets",
    "protocol": "protocols",
    "source": "datasets",
    "target": "datasets",
    "trainer": "trainers",
    "trainers": "trainers",
}
"""Where argparse keeps an argument, and what it takes; of the others what their choices say."""


def words_of(parser: argparse.ArgumentParser) -> Any:
    """The sub-commands of a parser, or a row an argument: word, nargs, what it takes."""
    rows = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return {name: words_of(below) for name, below in action.choices.items()}
        takes = list(action.choices) if action.choices else TAKES.get(action.dest)
        if not isinstance(action, argparse._HelpAction):
            rows += [[w, action.nargs, takes] for w in action.option_strings or [action.dest]]
    if "[KEY value ...]" in (parser.usage or ""):
        rows.append(["opts", "*", "keys"])
    return rows


def table() -> dict[str, Any]:
    """Everything that can be completed."""
    modules = {name: importlib.import_module(f"npt_plugin.cli.{name}") for name in COMMANDS}
    keys = flatten(config_as_dict(extend_cfg(get_cfg_default())))
    names = {
        "backbones": [row[0] for row in KINDS["backbones"][1]()],
        "datasets": sorted(path.stem for path in (configs_folder() / DATASETS).glob("*.yaml")),
        "keys": sorted(keys),
        "protocols": list(PROTOCOLS),
        "trainers": [row[0] for row in KINDS["trainers"][1]()],
    }
    commands = {name: words_of(module.parser()) for name, module in modules.items()}
    return {"names": names, "commands": commands}


def text() -> str:
    """The table as JSON, a list without lists in it on a line of its own."""
    return _shown(table()) + "\n"


def _shown(thing: Any, indent: str = "") -> str:
    more = indent + " "
    if isinstance(thing, dict):
        rows = [f"{more}{json.dumps(key)}: {_shown(value, more)}" for key, value in thing.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if thing and isinstance(thing, list) and isinstance(thing[0], list):
        return "[\n" + ",\n".join(more + json.dumps(row) for row in thing) + f"\n{indent}]"
    return json.dumps(thing)


if __name__ == "__main__":
    TABLE.write_text(text(), encoding="utf-8")
