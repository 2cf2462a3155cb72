"""Several texts for each class: templates, or sentences that describe it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from npt_plugin.errors import UserError

CLIP7 = (
    "itap of a {}.",
    "a bad photo of the {}.",
    "a origami {}.",
    "a photo of the large {}.",
    "a {} in a video game.",
    "art of the {}.",
    "a photo of the small {}.",
)
"""The seven that OpenAI's notebook on prompt engineering for ImageNet ends with."""

_KEY = "TEST.TEXTS"


def class_texts(wanted: str, classnames: Sequence[str]) -> list[list[str]]:
    """The texts of every class, in the order of the classes.

    Args:
        wanted: ``TEST.TEXTS``: a JSON file that holds a list of templates, each with one ``{}``, or
            an object with a list of sentences for every class name, as CuPL (arXiv:2209.03320)
            writes them; empty: ``CLIP7``.
        classnames: K names; underscores, spaces and capitals do not tell names apart.

    Returns:
        K lists of at least one text. How many entries of the file no class uses is printed.

    Raises:
        UserError: If the file is absent or holds something else, or a class has no text.
    """
    if not wanted:
        return _filled(CLIP7, classnames)
    held = _read(wanted)
    if isinstance(held, list):
        return _filled(_templates(held, wanted), classnames)
    return _described(held, wanted, classnames)


def _filled(templates: Sequence[str], classnames: Sequence[str]) -> list[list[str]]:
    return [[t.format(name.replace("_", " ")) for t in templates] for name in classnames]


def _read(wanted: str) -> list[Any] | dict[str, Any]:
    try:
        held = json.loads(Path(wanted).expanduser().read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{_KEY} is {wanted!r}, which is no file: give a JSON file.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{_KEY}: {wanted} cannot be read as JSON ({error}).") from None
    if not held or not isinstance(held, (list, dict)):
        raise UserError(
            f"{_KEY}: {wanted} must hold a list of templates, or an object with a list of "
            "sentences for every class name."
        )
    return held


def _templates(held: list[Any], source: str) -> list[str]:
    for entry in held:
        if not isinstance(entry, str) or entry.count("{}") != 1 or set("{}") & set(_rest(entry)):
            raise UserError(
                f"{_KEY}: {source} holds the template {entry!r}; each must be a text with one {{}} "
                "for the class name."
            )
    return held


def _rest(template: str) -> str:
    return template.replace("{}", "", 1)


def _described(held: dict[str, Any], source: str, classnames: Sequence[str]) -> list[list[str]]:
    by_name = {_plain(name): sentences for name, sentences in held.items()}
    if len(by_name) < len(held):
        raise UserError(f"{_KEY}: {source} names a class twice, in two spellings: leave one.")
    found = []
    for name in classnames:
        sentences = by_name.get(_plain(name))
        if sentences is None:
            raise UserError(
                f"{_KEY}: {source} has no entry for the class {name!r}: add one, or give templates."
            )
        texts = isinstance(sentences, list) and all(isinstance(s, str) and s for s in sentences)
        if not sentences or not texts:
            raise UserError(f"{_KEY}: {source} must hold a list of texts for {name!r}.")
        found.append(list(sentences))
    unused = len(by_name) - len({_plain(name) for name in classnames})
    if unused:
        print(f"{source}: entries of {unused} names that are no class here are left out")
    return found


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").lower().split())
