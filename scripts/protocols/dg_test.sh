#!/usr/bin/env bash
# Domain generalisation: tests what xd_train.sh learned on the ImageNet variants: SEED
set -euo pipefail
[ "$#" -ge 1 ] || { echo "usage: bash dg_test.sh SEED" >&2; exit 2; }
SEED="$1"; shift
for DATASET in ${DATASETS:-imagenetv2 imagenet_sketch imagenet_a imagenet_r}; do
    bash "$(dirname "${BASH_SOURCE[0]}")/xd_test.sh" "$DATASET" "$SEED" "$@"
done
