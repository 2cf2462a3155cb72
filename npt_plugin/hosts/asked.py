"""A host's script reads its own trainer's name, and builds the ``NPT_`` variant that was asked for.

Scripts look up options by the trainer's name, or allow their own names alone, long before they
build anything. So ``NPT_X`` on the command line becomes ``X`` for the script; where it calls
Dassl's ``build_trainer`` with a config that names ``X``, that gets a copy which names ``NPT_X``.
"""

from __future__ import annotations

import ast
import functools
import importlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from npt_plugin.engine.replaced import is_done, replace
from npt_plugin.hosts.signs import parsed

_OPTION, _SHORTEST, _KEY = "--trainer", "--trai", "TRAINER.NAME"  # argparse takes beginnings
_VARIANT = re.compile(r"NPT[_-](\w+)")


@dataclass
class Asked:
    """The trainer that the command line asks for.

    Attributes:
        variant: ``NPT_X`` or ``NPT-X`` as it was given; "" where no variant is asked for.
        own: The host's name ``X``.
        built: Whether it was built.
    """

    variant: str = ""
    own: str = ""
    built: bool = False


_now = Asked()


def builds_by_name(source: str) -> bool:
    """Whether a script calls ``build_trainer``, where the variant can take its place."""
    calls = (node.func for node in ast.walk(parsed(source)) if isinstance(node, ast.Call))
    return any(ast.unparse(called).rpartition(".")[2] == "build_trainer" for called in calls)


def own_names(words: Sequence[str]) -> tuple[list[str], Asked]:
    """The command line as the script shall see it, and what was asked for.

    Args:
        words: Arguments after the script; ``--trainer`` and the key ``TRAINER.NAME`` name trainers,
            the last of them counts.
    """
    found, asked = list(words), Asked()
    for place, word in enumerate(words):
        option, equals, value = word.partition("=")
        before = words[place - 1] if place else ""
        if equals and _names_trainer(option):
            start = f"{option}="
        elif _names_trainer(before) or before == _KEY:
            start, value = "", word
        else:
            continue
        variant = _VARIANT.fullmatch(value)
        asked = Asked(value, variant[1]) if variant else Asked()
        if variant:
            found[place] = start + variant[1]
    return found, asked


def _names_trainer(option: str) -> bool:
    return option.startswith(_SHORTEST) and _OPTION.startswith(option)


def build_what_is_asked(asked: Asked) -> None:
    """Let ``build_trainer`` of the Dassl in use build the variant; a later call takes its place.

    Args:
        asked: Its ``built`` is set once that happens.
    """
    global _now
    _now = asked
    place = importlib.import_module("dassl.engine")
    if is_done("engine.build_trainer", place):
        return
    build: Callable[..., Any] = place.build_trainer

    @functools.wraps(build)  # where another argument is refused, it is Dassl's function that does
    def build_trainer(cfg: Any, *args: Any, **kwargs: Any) -> Any:
        if cfg.TRAINER.NAME == _now.own and not (args or kwargs):
            cfg, _now.built = _naming(cfg, _now.variant), True
        return build(cfg, *args, **kwargs)

    replace_build_trainer(build_trainer)


def replace_build_trainer(build: Callable[..., Any]) -> None:
    """Give ``build_trainer`` of the Dassl in use another value, wherever a script imports it."""
    for path in ("dassl.engine", "dassl.engine.build"):
        replace("engine.build_trainer", importlib.import_module(path), build)


def _naming(cfg: Any, name: str) -> Any:
    """A copy of a config that names another trainer, frozen if it was."""
    own = cfg.clone()
    own.defrost()
    own.TRAINER.NAME = name
    if cfg.is_frozen():
        own.freeze()
    return own
