#!/usr/bin/env bash
# bash scripts/cocoop/xd_train.sh SEED    (environment and meaning: scripts/common.sh, scripts/protocols)
export TRAINER="${TRAINER:-CoCoOp}" RATIO="${RATIO:-1.0}"
exec bash "$(dirname "${BASH_SOURCE[0]}")/../protocols/xd_train.sh" "$@"
