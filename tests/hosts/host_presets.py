"""What a public checkout would run with: its scripts, yaml files and ``train.py``.

The scripts run in bash with a ``python`` that only writes down its words. Of ``train.py`` the
functions that make the config, and its flags, are cut out of the syntax tree and executed; nothing
else of the project is imported.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import chdir
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from npt_plugin.runs.config_tree import config_as_dict, flatten

RECORDER = """#!/bin/sh
for word in "$@"; do printf '%s\\037' "$word" >> "$WORDS"; done
printf '\\036' >> "$WORDS"
"""
MAKES_CONFIG = ("reset_cfg", "extend_cfg", "setup_cfg")


def words_of(
    script: str, arguments: list[str], cwd: Path, fake: Path, **env: str
) -> list[list[str]]:
    """The words of every ``python`` that a shell script calls.

    Args:
        script: Text of the script.
        arguments: Its arguments.
        cwd: Folder it runs in.
        fake: Folder for the ``python`` that only writes down.
        env: Further environment.
    """
    program, record = fake / "python", fake / "words"
    program.write_text(RECORDER)
    program.chmod(0o755)
    record.unlink(missing_ok=True)
    path = f"{fake}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-s", "--", *arguments],
        input=script,
        text=True,
        capture_output=True,
        cwd=cwd,
        env={**os.environ, "PATH": path, "WORDS": str(record), **env},
    )
    assert ran.returncode == 0, ran.stderr
    calls = record.read_text().split("\036")[:-1]
    return [call.split("\037")[:-1] for call in calls]


@dataclass(frozen=True)
class Checkout:
    """One project of the CoOp family.

    Args:
        folder: Its root.
        dassl: Root of its Dassl.
    """

    folder: Path
    dassl: Path

    @cached_property
    def _names(self) -> dict[str, Any]:
        tree = ast.parse((self.folder / "train.py").read_text(encoding="utf-8"))
        functions = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
        kept: list[ast.stmt] = [n for n in functions if n.name in MAKES_CONFIG]
        (main,) = (n for n in tree.body if isinstance(n, ast.If))
        kept += [n for n in main.body if "parse_args" not in ast.unparse(n)][:-1]
        names = {"argparse": argparse, "get_cfg_default": self._defaults()}
        exec(compile(ast.Module(kept, []), "train.py", "exec"), names)  # its own, as it stands
        return names

    def _defaults(self) -> Callable[[], Any]:
        path = self.dassl / "dassl" / "config" / "defaults.py"
        spec = importlib.util.spec_from_file_location("host_defaults", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return lambda: module._C.clone()

    def script(self, name: str, changes: Mapping[str, str] | None = None) -> str:
        """Text of a script, with lines changed as its own comments say."""
        text = (self.folder / "scripts" / name).read_text(encoding="utf-8")
        for old, new in (changes or {}).items():
            assert old in text, f"{name} has no {old!r}"
            text = text.replace(old, new)
        return text

    def calls(self, script: str, arguments: list[str], fake: Path) -> list[list[str]]:
        """The words after ``python`` of each call; run where the script expects to be."""
        deep = any(line.startswith("cd ../..") for line in script.splitlines())
        cwd = self.folder / "scripts" / "coop" if deep else self.folder
        return words_of(script, arguments, cwd, fake)

    def config(self, words: list[str]) -> dict[str, Any]:
        """The flat config of ``python train.py WORDS``, and what a test loads."""
        assert words[0] == "train.py"
        args = self._names["parser"].parse_args(words[1:])
        with chdir(self.folder):
            cfg = self._names["setup_cfg"](args)
        return with_loaded(flatten(config_as_dict(cfg)), args.eval_only, args.load_epoch)


def with_loaded(flat: dict[str, Any], eval_only: bool, load_epoch: int | None) -> dict[str, Any]:
    """A flat config with the two flags that decide what is tested."""
    flags = {"--eval-only": eval_only, "--load-epoch": load_epoch if eval_only else None}
    return {key: json.loads(json.dumps(value)) for key, value in {**flat, **flags}.items()}


def constant(path: Path, name: str) -> Any:
    """The value of a module's top-level name, read from its syntax tree."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    raise LookupError(f"{path} has no {name}")


def package(folder: Path, name: str) -> Any:
    """A package of a checkout, imported alone and under a name of our own."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert spec is not None and spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]
