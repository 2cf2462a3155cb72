#!/usr/bin/env bash
# Trains on all classes of the source dataset (SOURCE: imagenet): SEED
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
usage "xd_train.sh SEED" 1 "$@"
SEED="$1"; shift
SOURCE="${SOURCE:-imagenet}" CFG="$(config_for xd "${SOURCE:-imagenet}")"
DIR="$OUTPUT/xd/train/$SOURCE/shots_$SHOTS/ratio_$RATIO/$TRAINER/$CFG/seed$SEED"
run "$SOURCE" "$CFG" "$SEED" "$DIR" DATASET.NUM_SHOTS "$SHOTS" \
    DATASET.IMBALANCE.RATIO "$RATIO" "$@"
