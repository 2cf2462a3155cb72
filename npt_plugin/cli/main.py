# PYTHON_ARGCOMPLETE_OK
"""``npt``: one command in front of everything.

Each sub-command is the module of its name beside this one, with ``parser()``, ``run(args)`` and
``main(argv)``. It is imported when it is called, so that the overview needs no PyTorch.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from npt_plugin.errors import nearest_hint
from npt_plugin.sweep.nursery import expect_runs
from npt_plugin.system.exit_codes import OK, USER, exit_code
from npt_plugin.system.ranks import refuse_unjoined
from npt_plugin.system.version import VERSION

COMMANDS = {
    "train": "train or evaluate one run (CoOp's train.py)",
    "eval": "test a run's prompts: npt eval --run DIR",
    "demo": "three methods on the drawn datasets, then the table",
    "sweep": "a grid of runs of one protocol, several at a time",
    "protocol": "one job of a protocol: train, then test",
    "reproduce": "a published table run again, and whether ours agrees",
    "report": "the table of all runs below a folder",
    "plot": "pictures of one run, or of all below a folder",
    "predict": "classify images with what a run learned",
    "export": "a classifier that runs without this package",
    "publish": "a run as a folder for others, or for a model hub",
    "pull": "a published run as a run of one's own",
    "words": "the words nearest to the learned vectors",
    "data": "list, check, download and verify datasets",
    "list": "the trainers, datasets, losses, backbones and config keys there are",
    "hosts": "what NPT will do in a checkout of a Dassl project",
    "doctor": "versions, device, weights and folders, one line each",
}

ALONE = ("demo", "sweep", "protocol", "reproduce")
"""What starts runs of its own: not to be done by each of several processes of torchrun."""

SEVERAL = ("demo", "sweep")
"""What starts many runs: what they need is loaded beside what the command itself needs."""

NOT_HERE = ("-h", "--help", "--plan", "--status", "--follow", "--engine")
"""Flags with which such a command may start none on this machine."""

FIRST = {
    "npt demo": "see it work in a few minutes, without data",
    "npt data verify ImageFolder --root photos": "are my own images readable?",
    "npt list trainers": "what there is to train",
}
"""What somebody who has just installed us does first."""


def usage() -> str:
    """The overview that ``npt --help`` prints."""
    width = max(map(len, COMMANDS))
    rows = [f"  {name:<{width}}  {text}" for name, text in COMMANDS.items()]
    head = "usage: npt COMMAND [options]    (npt COMMAND --help for its options)"
    widest = max(map(len, FIRST))
    first = [f"  {command:<{widest}}  {text}" for command, text in FIRST.items()]
    return "\n".join([head, "", *rows, "", "first:", *first])


def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command; exit code 2 for an unknown one, with the overview."""
    words = list(sys.argv[1:] if argv is None else argv)
    if "_ARGCOMPLETE" in os.environ:  # set by a shell's hook: write completions, do nothing else
        from npt_plugin.cli.completion import complete

        complete("".join(words[:1]) if argv is not None else "")
    if not words or words[0] in ("-h", "--help"):
        print(usage())
        return OK if words else USER
    if words[0] == "--version":
        print(VERSION)
        return OK
    if words[0] == "base2new":  # its name in version 0.1
        words.insert(0, "protocol")
    if words[0] not in COMMANDS:
        hint = nearest_hint(words[0], COMMANDS)
        print(f"error: unknown command {words[0]!r}{hint}\n{usage()}", file=sys.stderr)
        return USER
    if words[0] in ALONE and exit_code(refuse_unjoined):
        return USER
    return exit_code(_run, *words)


def _run(command: str, *words: str) -> int:
    """What goes wrong as it is imported is said like any other mistake."""
    if command in SEVERAL and not set(NOT_HERE) & set(words):
        expect_runs()
    code: int = import_module(f"npt_plugin.cli.{command}").main(list(words))
    return code


if __name__ == "__main__":
    sys.exit(main())
