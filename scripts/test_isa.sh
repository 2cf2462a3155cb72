#!/usr/bin/env bash
# Runs the tests of numbers under emulated older instruction sets (scripts/test.sh runs them under this processor's
# own): bash scripts/test_isa.sh [pytest arguments]. Says first which emulations act here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PYTHON="$(bash scripts/setup.sh dev)"
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
FILES=(tests/backbone tests/losses tests/geometry tests/heads tests/optim tests/embedded/test_towers.py
    tests/hosts/test_wrap.py tests/trainers/test_speed_parity.py)

"$PYTHON" tests/support/instruction_sets.py --found
while read -r name settings; do
    echo "== $name $settings"
    # shellcheck disable=SC2086  # the settings are words
    env $settings "$PYTHON" -m pytest -q -m numerics -n "${WORKERS:-2}" --dist worksteal "${FILES[@]}" "$@"
done < <("$PYTHON" tests/support/instruction_sets.py)
