#!/usr/bin/env bash
# bash scripts/coop/few_shot.sh DATASET SHOTS    (environment and meaning: scripts/common.sh, scripts/protocols)
export TRAINER="${TRAINER:-CoOp}" RATIO="${RATIO:-1.0}"
exec bash "$(dirname "${BASH_SOURCE[0]}")/../protocols/few_shot.sh" "$@"
