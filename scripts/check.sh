#!/usr/bin/env bash
# Everything that has to hold before a change lands: bash scripts/check.sh [STEP ...]
#   lint      ruff: rules and format
#   imports   the order of the rooms (import-linter)
#   types     mypy on the whole package
#   examples  doctests of the public examples
#   docs      the pages of docs/, strictly: links, anchors, nothing from a network
#   tests     scripts/test.sh, the README's test command, and the slow ones
#   clusters  a sweep on a real Slurm and a real Ray cluster on this machine
#   isa       numerics under older instruction sets
#   gpu       the reduced form of scripts/gpu_check.sh, which does all of it where there is a GPU
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
docs() {
    local site
    site="$(mktemp -d)"
    NO_MKDOCS_2_WARNING=1 "$PYTHON" -m mkdocs build --strict --quiet --site-dir "$site"
    if grep -rlE '<(script|link|img)[^>]*(src|href)="https?://' --include '*.html' "$site"; then
        echo "these pages load something from a network" >&2
        return 1
    fi
    rm -r "$site"
}
tests() { bash scripts/test.sh && bash scripts/test.sh -m "slow and not long"; }
clusters() { bash scripts/test_clusters.sh; }
isa() { bash scripts/test_isa.sh; }
gpu() { bash scripts/gpu_check.sh --quick; }
wheel() { bash scripts/wheel_smoke.sh; }

[ "$#" -gt 0 ] || set -- lint imports types examples docs tests clusters isa gpu wheel
for step in "$@"; do
    echo "== $step"
    begin="$SECONDS"
    "$step" || { echo "== $step failed after $((SECONDS - begin)) s" >&2; exit 1; }
    echo "== $step: $((SECONDS - begin)) s"
done
