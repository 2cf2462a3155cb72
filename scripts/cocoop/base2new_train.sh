#!/usr/bin/env bash
# bash scripts/cocoop/base2new_train.sh DATASET SEED    (environment and meaning: scripts/common.sh, scripts/protocols)
export TRAINER="${TRAINER:-CoCoOp}" RATIO="${RATIO:-1.0}"
exec bash "$(dirname "${BASH_SOURCE[0]}")/../protocols/base2new_train.sh" "$@"
