"""Help texts that say every default, once."""

from __future__ import annotations

import argparse


class WithDefaults(argparse.ArgumentDefaultsHelpFormatter):
    """Adds ``(default: ...)`` to a flag's help, unless there is nothing to say."""

    def _get_help_string(self, action: argparse.Action) -> str:
        said = action.help or ""
        if action.default in (None, "", False, [], (), argparse.SUPPRESS) or "default" in said:
            return said
        if isinstance(action.default, (list, tuple)):
            return f"{said} (default: {' '.join(map(str, action.default))})".replace("%", "%%")
        return f"{said} (default: %(default)s)"
