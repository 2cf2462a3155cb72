#!/usr/bin/env bash
# Finds or makes a Python with everything installed, and prints its path as the last line.
#
#   bash scripts/setup.sh        what running needs
#   bash scripts/setup.sh dev    what tests and checks need too
#   NPT_PYTHON=/path/to/python   use that one, whatever is active
#
# An active environment is used as it is if it has everything; it is never changed. Otherwise the
# packages go into .venv in this checkout, once; later calls take a moment.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
EXTRA="${1:-}"

say() { printf '%s\n' "$*" >&2; }

complete() { # can this python import us from here, with everything that pyproject.toml asks for?
    "$1" scripts/requirements.py check $EXTRA
}

if [ -n "${NPT_PYTHON:-}" ]; then
    why="$(complete "$NPT_PYTHON" 2>&1)" || { say "error: NPT_PYTHON ($NPT_PYTHON): ${why##*$'\n'}; run it with -m pip install -e '.[dev]'."; exit 2; }
    echo "$NPT_PYTHON"
    exit 0
fi

ACTIVE="${VIRTUAL_ENV:-${CONDA_PREFIX:-}}"
if [ -n "$ACTIVE" ] && why="$(complete python 2>&1)"; then
    say "using the active environment $ACTIVE"
    command -v python
    exit 0
fi

PYTHON="$PWD/.venv/bin/python"
STAMP=".venv/installed-for"
WANTED="$(cat pyproject.toml setup.py | cksum | cut -d' ' -f1)"
if [ ! -x "$PYTHON" ]; then
    [ -z "$ACTIVE" ] || say "the active environment is left alone: ${why##*$'\n'}"
    [ -w . ] || { say "error: $PWD cannot be written, so no .venv is made in it: set NPT_PYTHON to a Python that can import this package, OUTPUT and DATA to folders of yours, or copy the checkout."; exit 2; }
    say "making .venv"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { say "error: Python 3.11 or newer is needed, python3 is $(python3 --version 2>&1)."; exit 2; }
    python3 -m venv .venv
fi
if [ "$(cat "$STAMP" 2>/dev/null || true)" != "$WANTED" ]; then
    say "installing packages into .venv (once; PyTorch is large)"
    env -u VIRTUAL_ENV -u PYTHONHOME "$PYTHON" -m pip install --disable-pip-version-check --quiet -e '.[dev]' >&2
    echo "$WANTED" > "$STAMP"
fi
echo "$PYTHON"
