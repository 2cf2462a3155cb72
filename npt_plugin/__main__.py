# PYTHON_ARGCOMPLETE_OK
"""``python -m npt_plugin TRAIN.py ...`` runs a host's script; anything else is the ``npt`` CLI."""

from __future__ import annotations

import sys


def main() -> int:
    """Choose by the first argument."""
    arguments = sys.argv[1:]
    if arguments and arguments[0].endswith(".py"):
        from npt_plugin.hosts.runner import main as run_host

        return run_host(arguments)
    from npt_plugin.cli.main import main as run_command

    return run_command(arguments)


if __name__ == "__main__":
    sys.exit(main())
