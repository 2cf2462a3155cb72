#!/usr/bin/env bash
# Base-to-new generalisation under class imbalance.
#
#   bash scripts/npt/base2new_train.sh                  the demo: three methods, four drawn datasets
#   bash scripts/npt/base2new_train.sh DATASET SEED     train on the base classes of one dataset
#
# Environment: DATA (folder of the datasets), TRAINER (NPT_CoOp), CFG (by trainer), SHOTS (16),
# RATIO (0.06), BACKBONE (the config's), OUTPUT (output).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
RATIO="${RATIO:-0.06}"

if [ "$#" -eq 0 ]; then
    echo "Demo: zero-shot CLIP, CoOp and NPT_CoOp at tau $RATIO on four drawn datasets, three seeds."
    exec "$PYTHON" -m npt_plugin.demo --ratio "$RATIO" --shots "$SHOTS" --output "$OUTPUT/demo"
fi

need_arguments 2 "bash scripts/npt/base2new_train.sh DATASET SEED" "$@"
DATASET="$1" SEED="$2"
TRAINER="${TRAINER:-NPT_CoOp}"
CFG="${CFG:-$(default_config "$TRAINER" "$DATASET")}"
DIR="$OUTPUT/base2new/train_base/$DATASET/shots_$SHOTS/ratio_$RATIO/$TRAINER/$CFG/seed$SEED"
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
    DATASET.NUM_SHOTS "$SHOTS" \
    DATASET.SUBSAMPLE_CLASSES base \
    DATASET.IMBALANCE.RATIO "$RATIO"
