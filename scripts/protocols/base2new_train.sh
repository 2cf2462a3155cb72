#!/usr/bin/env bash
# Trains on the base classes (first half of the labels) of one dataset: DATASET SEED
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
usage "base2new_train.sh DATASET SEED" 2 "$@"
DATASET="$1" SEED="$2"; shift 2
run base2new train "$DATASET" "$SEED" "$@"
