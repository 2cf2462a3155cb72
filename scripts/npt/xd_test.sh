#!/usr/bin/env bash
# bash scripts/npt/xd_test.sh DATASET SEED    (environment and meaning: scripts/common.sh, scripts/protocols)
export TRAINER="${TRAINER:-NPT_CoOp}" RATIO="${RATIO:-0.06}"
exec bash "$(dirname "${BASH_SOURCE[0]}")/../protocols/xd_test.sh" "$@"
