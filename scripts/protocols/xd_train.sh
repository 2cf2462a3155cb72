#!/usr/bin/env bash
# Trains on all classes of the source dataset (SOURCE: imagenet): SEED
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
usage "xd_train.sh SEED" 1 "$@"
SEED="$1"; shift
run xd train "${SOURCE:-imagenet}" "$SEED" "$@"
