#!/usr/bin/env bash
# Base-to-new generalisation under class imbalance.
#
#   bash scripts/npt/base2new_train.sh                  the demo: three methods, drawn datasets
#   bash scripts/npt/base2new_train.sh DATASET SEED     train on the base classes of one dataset
#
# Environment: DATA, TRAINER (NPT_CoOp), CFG, SHOTS (16), RATIO (0.06), BACKBONE, OUTPUT;
# see scripts/common.sh.
set -euo pipefail
export TRAINER="${TRAINER:-NPT_CoOp}" RATIO="${RATIO:-0.06}"
HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
[ "$#" -eq 0 ] || exec bash "$HERE/../protocols/base2new_train.sh" "$@"

cd "$HERE/../.."
PYTHON="$(bash scripts/setup.sh)"
exec "$PYTHON" -m npt_plugin demo --ratio "$RATIO" --shots "${SHOTS:-16}" \
    --output "${OUTPUT:-output}/demo" --root "${DATA:-data}"
