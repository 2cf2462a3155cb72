#!/usr/bin/env bash
# CoOp's few-shot protocol, three seeds: DATASET CFG CTP NCTX SHOTS CSC
#   CTP end, middle or front; CSC True or False; CFG as configs/trainers/CoOp/<CFG>.yaml
set -euo pipefail
[ "$#" -ge 6 ] || { echo "usage: bash scripts/coop/main.sh DATASET CFG CTP NCTX SHOTS CSC" >&2; exit 2; }
export TRAINER="${TRAINER:-CoOp}" CFG="$2"
export OUTPUT="${OUTPUT:-output}/nctx$4_csc$6_ctp$3"
exec bash "$(dirname "${BASH_SOURCE[0]}")/../protocols/few_shot.sh" "$1" "$5" \
    TRAINER.COOP.N_CTX "$4" TRAINER.COOP.CSC "$6" TRAINER.COOP.CLASS_TOKEN_POSITION "$3"
