#!/usr/bin/env bash
# Runs the tests with the oldest versions that pyproject.toml allows, in an environment of its own:
# bash scripts/test_floors.sh [pytest arguments]. It is kept in .venv-floors until they change.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
DEV="$(bash scripts/setup.sh dev)"
HOME_OF_FLOORS="$PWD/.venv-floors"
PYTHON="$HOME_OF_FLOORS/bin/python" WANTED="$HOME_OF_FLOORS/floors.txt"
FLOORS="$("$DEV" scripts/requirements.py floors test)"
if [ "$(cat "$WANTED" 2>/dev/null || true)" != "$FLOORS" ]; then
    echo "making $HOME_OF_FLOORS (PyTorch is large)" >&2
    OLDEST="$(sed -n 's/^requires-python = ">=\(.*\)"/python\1/p' pyproject.toml)"
    "$(command -v "$OLDEST" || command -v python3)" -m venv --clear "$HOME_OF_FLOORS"
    printf '%s\n' "$FLOORS" >"$HOME_OF_FLOORS/asked.txt"
    "$PYTHON" -m pip install --disable-pip-version-check --quiet -r "$HOME_OF_FLOORS/asked.txt"
    mv "$HOME_OF_FLOORS/asked.txt" "$WANTED" # only a complete environment has it
fi
export PYTHONPATH="$PWD:$PWD/third_party" OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
exec "$PYTHON" -m pytest -n "${WORKERS:-auto}" --dist worksteal -q "$@"
