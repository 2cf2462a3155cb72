#!/usr/bin/env bash
# bash scripts/cocoop/few_shot.sh DATASET SHOTS    (environment and meaning: scripts/common.sh, scripts/protocols)
export TRAINER="${TRAINER:-CoCoOp}" RATIO="${RATIO:-1.0}"
exec bash "$(dirname "${BASH_SOURCE[0]}")/../protocols/few_shot.sh" "$@"
