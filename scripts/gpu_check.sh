#!/usr/bin/env bash
# Everything that needs a GPU, in under ten minutes: bash scripts/gpu_check.sh [--quick]
#   tests/gpu     numbers of the CPU in each precision, no waiting in a step, memory, change of device
#   speed         steps, tests, whole job, peak memory in fp16, against the public code where NPT_HOSTS
#                 holds the checkouts, else CLIP's own modules; benchmarks/results/gpu.json and gpu.md
# Without a CUDA device, or with --quick, its reduced form, which keeps no numbers: two layers, one part.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
quick=""
case "${1:-}" in
    "") ;;
    --quick) quick=1 ;;
    *) echo "usage: bash scripts/gpu_check.sh [--quick]" >&2; exit 2 ;;
esac
PYTHON="$(bash scripts/setup.sh dev)"
export PYTHONPATH="$PWD:$PWD/third_party${PYTHONPATH:+:$PYTHONPATH}"
device=cpu
if "$PYTHON" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
    device=cuda
    "$PYTHON" -c 'import torch; print("On", torch.cuda.get_device_name())'
else
    quick=1
    echo "No CUDA device here: the reduced form, on the CPU. It checks the code, not the speed of a GPU."
fi

"$PYTHON" -m pytest -q tests/gpu tests/whole/test_no_waiting.py tests/trainers/test_devices.py

out=benchmarks/results
parts=(coop cocoop maple)
if [ -n "$quick" ]; then
    out="$(mktemp -d)"
    trap 'rm -r "$out"' EXIT
    parts=(cocoop)
fi
"$PYTHON" benchmarks/speed/measure.py --device "$device" ${quick:+--quick} --only "${parts[@]}" \
    --out "$out/gpu.json" >/dev/null
"$PYTHON" benchmarks/speed/device_table.py "$out/gpu.json" | tee "$out/gpu.md"
