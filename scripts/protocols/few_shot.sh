#!/usr/bin/env bash
# Few-shot learning on all classes, three seeds: DATASET SHOTS. SEEDS: "1 2 3"
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
usage "few_shot.sh DATASET SHOTS" 2 "$@"
DATASET="$1" SHOTS="$2"; shift 2
CFG="$(config_for few_shot "$DATASET")"
for SEED in ${SEEDS:-1 2 3}; do
    DIR="$OUTPUT/few_shot/$DATASET/shots_$SHOTS/ratio_$RATIO/$TRAINER/$CFG/seed$SEED"
    run "$DATASET" "$CFG" "$SEED" "$DIR" DATASET.NUM_SHOTS "$SHOTS" \
        DATASET.IMBALANCE.RATIO "$RATIO" "$@"
done
