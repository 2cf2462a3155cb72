#!/usr/bin/env bash
# Tests a run of base2new_train.sh on the new classes (SUB=base: on the base classes again).
#
#   bash scripts/npt/base2new_test.sh DATASET SEED
#
# Environment: as base2new_train.sh; LOADEP (the config's last epoch), SUB (new).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
need_arguments 2 "bash scripts/npt/base2new_test.sh DATASET SEED" "$@"
DATASET="$1" SEED="$2"
RATIO="${RATIO:-0.06}" SUB="${SUB:-new}"
TRAINER="${TRAINER:-NPT_CoOp}"
CFG="${CFG:-$(default_config "$TRAINER" "$DATASET")}"
LOADEP="${LOADEP:-$(last_epoch "configs/trainers/$TRAINER/$CFG.yaml")}"
COMMON="$DATASET/shots_$SHOTS/ratio_$RATIO/$TRAINER/$CFG/seed$SEED"
MODEL_DIR="$OUTPUT/base2new/train_base/$COMMON"
DIR="$OUTPUT/base2new/test_$SUB/$COMMON"
if completed "$DIR"; then
    echo "The results exist in $DIR (nothing to do)"
    exit 0
fi
train_py \
    --seed "$SEED" \
    --trainer "$TRAINER" \
    --dataset-config-file "configs/datasets/$DATASET.yaml" \
    --config-file "configs/trainers/$TRAINER/$CFG.yaml" \
    --output-dir "$DIR" \
    --model-dir "$MODEL_DIR" \
    --load-epoch "$LOADEP" \
    --eval-only \
    DATASET.NUM_SHOTS "$SHOTS" \
    DATASET.SUBSAMPLE_CLASSES "$SUB" \
    DATASET.IMBALANCE.RATIO "$RATIO"
