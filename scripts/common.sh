# Shared by the run scripts: where Python, data and configs are. Sourced, not run.
#
# Environment: DATA (folder of the datasets), TRAINER, CFG, SHOTS, RATIO, BACKBONE, OUTPUT.

ROOT_DIR="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$ROOT_DIR"
PYTHON="$(bash scripts/setup.sh)"
DATA="${DATA:-}"
OUTPUT="${OUTPUT:-output}"
SHOTS="${SHOTS:-16}"

need_arguments() { # need_arguments COUNT USAGE "$@"
    local count="$1" usage="$2"
    shift 2
    if [ "$#" -lt "$count" ]; then
        echo "usage: $usage" >&2
        exit 2
    fi
}

default_config() { # the published base-to-new config, or the embedded model's for embedded data
    case "$2" in
        embedded_*) case "$1" in
            *CoCoOp) echo tiny_ep10 ;;
            *MaPLe | *VPT | *IVLP) echo tiny_ep5 ;;
            *) echo tiny_ep50 ;;
        esac ;;
        *) case "$1" in
            ZeroshotCLIP) echo vit_b16 ;;
            *CoCoOp) echo vit_b16_c4_ep10_batch1_ctxv1 ;;
            *MaPLe) echo vit_b16_c2_ep5_batch4_2ctx ;;
            *VPT) echo vit_b16_c2_ep5_batch4_4 ;;
            *IVLP) echo vit_b16_c2_ep5_batch4_2+2ctx ;;
            *) echo vit_b16_ctxv1 ;;
        esac ;;
    esac
}

last_epoch() { # MAX_EPOCH of a config file
    sed -n 's/^ *MAX_EPOCH: *\([0-9]*\).*/\1/p' "$1"
}

completed() { # has a run in this folder ended well?
    "$PYTHON" -m npt_plugin.records "$1" 2>/dev/null
}

train_py() { # train.py with what every run shares; further words are passed on
    local extra=()
    [ -z "$DATA" ] || extra+=(--root "$DATA")
    [ -z "${BACKBONE:-}" ] || extra+=(--backbone "$BACKBONE")
    "$PYTHON" train.py "${extra[@]}" "$@"
}
