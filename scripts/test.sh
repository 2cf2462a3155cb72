#!/usr/bin/env bash
# Runs the tests: bash scripts/test.sh [pytest arguments]. Sets up .venv first if need be.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PYTHON="$(bash scripts/setup.sh dev)"
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1  # one process a core beats one process on all cores
exec "$PYTHON" -m pytest -n "${WORKERS:-auto}" --dist worksteal -q "$@"
