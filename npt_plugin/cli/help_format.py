"""Help texts that say every default, once, and show their examples one a line."""

from __future__ import annotations

import argparse


def examples(*lines: str, note: str = "") -> str:
    """The epilog of a help text.

    Args:
        lines: Whole command lines.
        note: A short sentence behind them.
    """
    head = "example:" if len(lines) == 1 else "examples:"
    return "\n".join([head, *(f"  {line}" for line in lines), *([note] if note else [])])


class WithDefaults(argparse.ArgumentDefaultsHelpFormatter):
    """Adds ``(default: ...)`` to a flag's help, unless there is nothing to say; keeps examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith("example"):
            return text
        return super()._fill_text(text, width, indent)

    def _get_help_string(self, action: argparse.Action) -> str:
        said = action.help or ""
        if action.default in (None, "", False, [], (), argparse.SUPPRESS) or "default" in said:
            return said
        if isinstance(action.default, (list, tuple)):
            return f"{said} (default: {' '.join(map(str, action.default))})".replace("%", "%%")
        return f"{said} (default: %(default)s)"
