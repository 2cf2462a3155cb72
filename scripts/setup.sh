#!/usr/bin/env bash
# Finds or makes a Python with everything installed, and prints its path as the last line.
#
#   NPT_PYTHON=/path/to/python   use that one, whatever is active
#
# An active environment is used as it is if it has everything; it is never changed. Otherwise the
# packages go into .venv in this checkout, once; later calls take a moment.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "$*" >&2; }

complete() { # can this python import us from here, with every dependency and test tool?
    "$1" scripts/check_environment.py >/dev/null 2>&1
}

if [ -n "${NPT_PYTHON:-}" ]; then
    complete "$NPT_PYTHON" || { say "error: NPT_PYTHON ($NPT_PYTHON) lacks packages: run it with -m pip install -e '.[dev]'."; exit 2; }
    echo "$NPT_PYTHON"
    exit 0
fi

if [ -n "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] && complete python; then
    say "using the active environment ${VIRTUAL_ENV:-$CONDA_PREFIX}"
    command -v python
    exit 0
fi

PYTHON="$PWD/.venv/bin/python"
STAMP=".venv/installed-for"
WANTED="$(cksum setup.py | cut -d' ' -f1)"
if [ ! -x "$PYTHON" ]; then
    [ -z "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] || say "the active environment lacks packages and is left alone"
    say "making .venv"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { say "error: Python 3.10 or newer is needed, python3 is $(python3 --version 2>&1)."; exit 2; }
    python3 -m venv .venv
fi
if [ "$(cat "$STAMP" 2>/dev/null || true)" != "$WANTED" ]; then
    say "installing packages into .venv (once; PyTorch is large)"
    env -u VIRTUAL_ENV -u PYTHONHOME "$PYTHON" -m pip install --disable-pip-version-check --quiet -e '.[dev]' >&2
    echo "$WANTED" > "$STAMP"
fi
echo "$PYTHON"
