#!/usr/bin/env bash
# Few-shot learning on all classes, three seeds: DATASET SHOTS. SEEDS: "1 2 3"
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
usage "few_shot.sh DATASET SHOTS" 2 "$@"
DATASET="$1" SHOTS="$2"; shift 2
for SEED in ${SEEDS:-1 2 3}; do
    run few_shot train "$DATASET" "$SEED" "$@"
done
