#!/usr/bin/env bash
# bash scripts/coop/dg_test.sh SEED    (environment and meaning: scripts/common.sh, scripts/protocols)
export TRAINER="${TRAINER:-CoOp}" RATIO="${RATIO:-1.0}"
exec bash "$(dirname "${BASH_SOURCE[0]}")/../protocols/dg_test.sh" "$@"
