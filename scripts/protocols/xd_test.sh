#!/usr/bin/env bash
# Tests what xd_train.sh learned on another dataset: DATASET SEED
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
usage "xd_test.sh DATASET SEED" 2 "$@"
DATASET="$1" SEED="$2"; shift 2
SOURCE="${SOURCE:-imagenet}" CFG="$(config_for xd "${SOURCE:-imagenet}")"
RUN="shots_$SHOTS/ratio_$RATIO/$TRAINER/$CFG/seed$SEED"
run "$DATASET" "$CFG" "$SEED" "$OUTPUT/xd/test_from_$SOURCE/$DATASET/$RUN" \
    --model-dir "$OUTPUT/xd/train/$SOURCE/$RUN" \
    --load-epoch "${LOADEP:-$(epochs_of "$CFG")}" --eval-only "$@"
