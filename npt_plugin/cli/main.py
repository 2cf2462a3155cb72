"""``npt``: one command in front of everything; each sub-command lives in its own module."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from npt_plugin import __version__
from npt_plugin.errors import nearest_hint

COMMANDS = {
    "train": ("npt_plugin.cli.train", "train or evaluate one run (CoOp's train.py)"),
    "eval": ("npt_plugin.cli.eval", "test a run's prompts: npt eval --run DIR"),
    "demo": ("npt_plugin.cli.demo", "three methods on the drawn datasets, then the table"),
    "sweep": ("npt_plugin.cli.sweep", "a grid of runs of one protocol, several at a time"),
    "protocol": ("npt_plugin.cli.protocol", "one job of a protocol: train, then test"),
    "report": ("npt_plugin.cli.report", "the table of all runs below a folder"),
    "plot": ("npt_plugin.cli.plot", "pictures of one run, or of all below a folder"),
    "predict": ("npt_plugin.cli.predict", "classify images with what a run learned"),
    "export": ("npt_plugin.cli.export", "a classifier that runs without this package"),
    "words": ("npt_plugin.cli.words", "the words nearest to the learned vectors"),
    "data": ("npt_plugin.cli.data", "list, check, download and verify datasets"),
    "list": ("npt_plugin.cli.list", "the trainers, datasets, losses and backbones there are"),
    "doctor": ("npt_plugin.cli.doctor", "versions, device, weights and folders, one line each"),
}


def usage() -> str:
    """The overview that ``npt --help`` prints."""
    width = max(map(len, COMMANDS))
    rows = [f"  {name:<{width}}  {text}" for name, (_, text) in COMMANDS.items()]
    head = "usage: npt COMMAND [options]    (npt COMMAND --help for its options)"
    return "\n".join([head, "", *rows])


def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command; exit code 2 for an unknown one, with the overview."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help"):
        print(usage())
        return 0 if words else 2
    if words[0] == "--version":
        print(__version__)
        return 0
    if words[0] == "base2new":  # its name in version 0.1
        words.insert(0, "protocol")
    if words[0] not in COMMANDS:
        hint = nearest_hint(words[0], COMMANDS)
        print(f"error: unknown command {words[0]!r}{hint}\n{usage()}", file=sys.stderr)
        return 2
    module = importlib.import_module(COMMANDS[words[0]][0])
    return module.main(words[1:])


if __name__ == "__main__":
    sys.exit(main())
