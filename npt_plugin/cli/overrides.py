"""Command lines that hold both flags and config overrides ``KEY value``, in any order."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Sequence

from npt_plugin.errors import UserError, nearest_hint

KEY_AND_VALUE = re.compile(r"([A-Z][A-Z0-9_]*(?:\.[A-Z][A-Z0-9_]*)*)=(.*)", re.DOTALL)
EXAMPLE = "DATASET.NUM_SHOTS 16"


def parse_with_overrides(
    parser: argparse.ArgumentParser, argv: Sequence[str] | None = None
) -> argparse.Namespace:
    """Parse flags and positional arguments; what is left are the overrides, in ``opts``.

    Flags may stand before, between and after the overrides. A parser whose commands take
    overrides does not declare them itself (see :func:`describe_overrides`).

    Args:
        parser: knows the flags and the positional arguments, not the overrides.
        argv: the words; None takes those of the process.

    Returns:
        The namespace, with ``opts`` as ``[KEY, value, KEY, value, ...]``.

    Raises:
        UserError: an unknown flag, ``KEY=value``, or a key without value; call this inside
            ``exit_code``.
    """
    args, rest = parser.parse_known_args(argv)
    args.opts = overrides(rest, re.findall(r"--[\w-]+", parser.format_help()))
    return args


def overrides(words: Sequence[str], flags: Sequence[str] = ()) -> list[str]:
    """Check that words come in pairs of a config key and its value.

    Args:
        words: what no flag and no positional argument has taken; a first ``--`` is left out, and
            ``--opts``, which ends the values of a flag that takes several.
        flags: known flags, for the hint after an unknown one.

    Returns:
        The pairs. Whether the keys exist is for ``merge_options`` to say.

    Raises:
        UserError: an unknown flag, ``KEY=value``, or a key without value.

    Example:
        >>> overrides(["DATASET.NUM_SHOTS", "-1", "OPTIM.LR", "-1e-3"])
        ['DATASET.NUM_SHOTS', '-1', 'OPTIM.LR', '-1e-3']
    """
    words = [w for place, w in enumerate(words) if w != "--opts" and (place or w != "--")]
    for place, word in enumerate(words):
        is_key = place % 2 == 0
        if word.startswith("--") or (is_key and word.startswith("-")):
            name = word.partition("=")[0]
            raise UserError(f"Unknown flag '{name}'{nearest_hint(name, flags)}; see --help.")
        slip = KEY_AND_VALUE.fullmatch(word) if is_key else None
        if slip:
            key, value = slip.groups()
            raise UserError(
                f"Config overrides are written with a space: '{key} {value}', not '{word}'."
            )
    if len(words) % 2:
        raise UserError(
            f"Config overrides come in pairs KEY value (e.g. {EXAMPLE}), but '{words[-1]}' at the "
            "end has no partner."
        )
    return words


def describe_overrides(parser: argparse.ArgumentParser) -> None:
    """Say in a parser's usage and help that ``KEY value`` pairs are taken."""
    words = parser.format_usage().removeprefix("usage: ").split()
    together = re.sub(r"\[[^]]*", lambda part: part[0].replace(" ", "\0"), " ".join(words))
    usage = textwrap.fill(
        f"{together} [KEY\0value\0...]",
        width=92,
        subsequent_indent=" " * len("usage: "),
        break_long_words=False,
        break_on_hyphens=False,
    )
    parser.usage = usage.replace("\0", " ").replace("%", "%%")
    note = f"Any config key can be set by KEY value, e.g. {EXAMPLE}."
    parser.epilog = f"{parser.epilog}\n{note}" if parser.epilog else note
