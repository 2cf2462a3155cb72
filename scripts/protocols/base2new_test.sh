#!/usr/bin/env bash
# Tests what base2new_train.sh learned: DATASET SEED. SUB: new (or base, all); LOADEP: an epoch.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
usage "base2new_test.sh DATASET SEED" 2 "$@"
DATASET="$1" SEED="$2"; shift 2
SUB="${SUB:-new}" CFG="$(config_for base2new "$DATASET")"
RUN="$DATASET/shots_$SHOTS/ratio_$RATIO/$TRAINER/$CFG/seed$SEED"
run "$DATASET" "$CFG" "$SEED" "$OUTPUT/base2new/test_$SUB/$RUN" \
    --model-dir "$OUTPUT/base2new/train_base/$RUN" \
    --load-epoch "${LOADEP:-$(epochs_of "$CFG")}" --eval-only \
    DATASET.NUM_SHOTS "$SHOTS" DATASET.SUBSAMPLE_CLASSES "$SUB" \
    DATASET.IMBALANCE.RATIO "$RATIO" "$@"
