#!/usr/bin/env bash
# Builds sdist and wheel, installs the wheel into a fresh environment, and runs the main commands
# from an empty folder: all that is needed has to be inside the wheel.
#
# Dependencies are those of the environment that scripts/setup.sh finds: nothing is downloaded.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PYTHON="$(bash scripts/setup.sh dev)"
WORK="$(mktemp -d)"
trap 'rm -rf "$WORK"' EXIT
unset PYTHONPATH
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

step() { # step NAME COMMAND...: quiet unless it fails
    local name="$1" begin="$SECONDS"
    shift
    "$@" >"$WORK/log" 2>&1 || { cat "$WORK/log" >&2; echo "wheel smoke: $name failed" >&2; exit 1; }
    echo "  $name: $((SECONDS - begin)) s"
}

installed_is_the_wheel() { # not the checkout, and it reads its own yaml files
    "$ENV/bin/python" - "$ENV" <<'PY'
import sys
from importlib.metadata import version
import minidassl, npt_plugin
from npt_plugin.runs.configs import configs_folder

for place in (npt_plugin.__file__, minidassl.__file__, str(configs_folder())):
    assert place.startswith(sys.argv[1]), place
assert version("npt-plugin") == npt_plugin.__version__
PY
}

step "sdist, and the wheel from it" "$PYTHON" -m build --no-isolation --outdir "$WORK/dist" .
ENV="$WORK/env"
step "fresh environment" "$PYTHON" -m venv "$ENV"
SHARED="$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
echo "$SHARED" >"$(echo "$ENV"/lib/python*/site-packages)/shared.pth" # its own .pth files stay unread
step "install" "$ENV/bin/python" -m pip install --quiet --no-deps --no-index "$WORK"/dist/*.whl

mkdir "$WORK/empty"
cd "$WORK/empty"
PATH="$ENV/bin:$PATH"
step "the wheel is what runs" installed_is_the_wheel
DATASET=embedded_shades RUN=output/try
step "npt demo" npt demo --datasets "$DATASET" --seeds 7 --shots 4
step "npt train" npt train --root data --seed 1 --trainer NPT_CoOp \
    --dataset-config-file "$DATASET" --config-file tiny_ep50_ctxv1 --output-dir "$RUN" \
    DATASET.NUM_SHOTS 2 DATASET.SUBSAMPLE_CLASSES base OPTIM.MAX_EPOCH 1
step "npt sweep" npt sweep --datasets "$DATASET" --trainers CoOp --seeds 1 --ratios 0.5 \
    --shots 2 --root data --output output/grid --opts OPTIM.MAX_EPOCH 1
step "npt eval" npt eval --run "$RUN" --classes new
step "npt predict" npt predict "$RUN" "$(find data -name '*.png' -o -name '*.jpg' | sort | head -n 1)"
step "npt export" npt export "$RUN" --output exported
step "npt words" npt words "$RUN"
step "npt report" npt report output/demo
