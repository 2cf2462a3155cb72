#!/usr/bin/env bash
# Tests what base2new_train.sh learned: DATASET SEED. SUB: new (or base, all).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
usage "base2new_test.sh DATASET SEED" 2 "$@"
DATASET="$1" SEED="$2"; shift 2
run base2new "${SUB:-new}" "$DATASET" "$SEED" "$@"
