"""Shell completion by argcomplete, without PyTorch: a Tab must not take seconds.

What can be completed stands in ``completion.json``, made of the parsers and registries by
``scripts/completion_table.py``; the parsers themselves need most of the package.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_suffix(".json")


def complete(command: str = "") -> None:
    """Write the completions that the shell asks for; does not return.

    Args:
        command: The sub-command whose flags the line has (``train.py``); "": any.
    """
    try:
        import argcomplete
    except ImportError:  # never run what was only to be completed
        sys.exit(1)
    argcomplete.autocomplete(skeleton(command))


def skeleton(command: str = "") -> argparse.ArgumentParser:
    """A parser that knows the words of all commands, or of one, and nothing else."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    commands = table["commands"]
    parser = argparse.ArgumentParser("npt")
    _add(parser, commands[command] if command else commands, table["names"])
    return parser


def _add(parser: argparse.ArgumentParser, words: Any, names: dict[str, list[str]]) -> None:
    """Give a parser its commands (a table), or its arguments: word, nargs, what it takes."""
    if isinstance(words, dict):
        below = parser.add_subparsers()
        for name, more in words.items():
            _add(below.add_parser(name), more, names)
        return
    for word, nargs, takes in words:
        if nargs == 0:
            parser.add_argument(word, action="store_true")
            continue
        argument: Any = parser.add_argument(word, nargs=nargs)
        if takes:
            argument.completer = _completer(takes, names)


def _completer(takes: str | list[str], names: dict[str, list[str]]) -> Callable[..., list[str]]:
    if takes == "configs":
        return _configs
    known = takes if isinstance(takes, list) else names[takes]
    if takes == "keys":
        return lambda parsed_args, **_: [] if len(parsed_args.opts or ()) % 2 else known
    return lambda **_: known


def _configs(parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """Configs of the trainers on the line; where none is, of all."""
    given = getattr(parsed_args, "trainer", None) or getattr(parsed_args, "trainers", None) or "*"
    found: set[str] = set()
    for trainer in [given] if isinstance(given, str) else given:
        name = trainer.partition(":")[0].replace("-", "_")  # of a sweep: NPT_CoOp:loss=ldam
        base = name.removeprefix("NPT_")
        found |= _stems(f"trainers/{name}/*.yaml") or _stems(f"trainers/{base}/*.yaml")
    return sorted(found)


def _stems(pattern: str) -> set[str]:
    places = Path(__file__).resolve().parents[1:3]  # in a wheel, or beside the package in a clone
    return {path.stem for place in places for path in place.glob(f"configs/{pattern}")}
