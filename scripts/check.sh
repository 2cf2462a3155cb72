#!/usr/bin/env bash
# Everything that has to hold before a change lands: bash scripts/check.sh [STEP ...]
#   lint      ruff: rules and format
#   imports   the order of the rooms (import-linter)
#   types     mypy on the whole package
#   examples  doctests of the public examples
#   tests     scripts/test.sh, the README's test command
#   isa       numerics under older instruction sets
#   wheel     build, install and use the wheel
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PYTHON="$(bash scripts/setup.sh dev)"
export NPT_PYTHON="$PYTHON" PYTHONPATH="$PWD:$PWD/third_party${PYTHONPATH:+:$PYTHONPATH}"
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

lint() { "$PYTHON" -m ruff check . && "$PYTHON" -m ruff format --check .; }
imports() { "$(dirname "$PYTHON")/lint-imports" --no-cache; }
types() { "$PYTHON" -m mypy; }
examples() { # the loader is a script that travels with an export, not a module
    "$PYTHON" -m pytest -q --doctest-modules --ignore npt_plugin/cli/exported_classifier.py npt_plugin
}
tests() { bash scripts/test.sh; }
isa() { bash scripts/test_isa.sh; }
wheel() { bash scripts/wheel_smoke.sh; }

[ "$#" -gt 0 ] || set -- lint imports types examples tests isa wheel
for step in "$@"; do
    echo "== $step"
    begin="$SECONDS"
    "$step" || { echo "== $step failed after $((SECONDS - begin)) s" >&2; exit 1; }
    echo "== $step: $((SECONDS - begin)) s"
done
