#!/usr/bin/env bash
# bash scripts/coop/xd_train.sh SEED    (environment and meaning: scripts/common.sh, scripts/protocols)
export TRAINER="${TRAINER:-CoOp}" RATIO="${RATIO:-1.0}"
exec bash "$(dirname "${BASH_SOURCE[0]}")/../protocols/xd_train.sh" "$@"
