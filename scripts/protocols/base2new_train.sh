#!/usr/bin/env bash
# Trains on the base classes (first half of the labels) of one dataset: DATASET SEED
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
usage "base2new_train.sh DATASET SEED" 2 "$@"
DATASET="$1" SEED="$2"; shift 2
CFG="$(config_for base2new "$DATASET")"
DIR="$OUTPUT/base2new/train_base/$DATASET/shots_$SHOTS/ratio_$RATIO/$TRAINER/$CFG/seed$SEED"
run "$DATASET" "$CFG" "$SEED" "$DIR" DATASET.NUM_SHOTS "$SHOTS" \
    DATASET.SUBSAMPLE_CLASSES base DATASET.IMBALANCE.RATIO "$RATIO" "$@"
