#!/usr/bin/env bash
# Tests what xd_train.sh learned (SOURCE: imagenet) on another dataset: DATASET SEED
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
usage "xd_test.sh DATASET SEED" 2 "$@"
DATASET="$1" SEED="$2"; shift 2
run xd test "$DATASET" "$SEED" --source "${SOURCE:-imagenet}" "$@"
