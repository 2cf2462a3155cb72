#!/usr/bin/env bash
# Runs the tests: bash scripts/test.sh [pytest arguments]. Sets up .venv first if need be.
# Without arguments whole processes, killed or run from the docs, are left to `bash scripts/test.sh -m slow`, which
# scripts/check.sh runs too, as it does scripts/test_clusters.sh. Tests of many minutes: -m long.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PYTHON="$(bash scripts/setup.sh dev)"
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1  # one process a core beats one process on all cores
[ "$#" -gt 0 ] || set -- -m "not slow and not long and not cluster"
exec "$PYTHON" -m pytest -n "${WORKERS:-auto}" --dist worksteal -q "$@"
