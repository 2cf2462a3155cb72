# Shared by the run scripts. Sourced, not run.
#
# Environment of every script:
#   DATA      folder of the datasets (drawn datasets: ./data)
#   TRAINER   trainer; the folder of the script sets its default
#   CFG       file name in configs/trainers/$TRAINER (published config of the protocol)
#   SHOTS     16, images of the largest class
#   RATIO     tau = n_min / n_max; 0.06 in scripts/npt, 1.0 (balanced, as published) elsewhere
#   BACKBONE  CLIP, by name or file (the config's)
#   OUTPUT    output
# Words after the script's own arguments are config overrides: KEY value ...

cd "$(dirname "${BASH_SOURCE[0]}")/.."
PYTHON="$(bash scripts/setup.sh)"
DATA="${DATA:-}" OUTPUT="${OUTPUT:-output}" SHOTS="${SHOTS:-16}" RATIO="${RATIO:-1.0}"

usage() { # usage HOW-TO COUNT "$@": stop unless COUNT arguments were given
    local how="$1" count="$2"
    shift 2
    [ "$#" -ge "$count" ] || { echo "usage: bash $how" >&2; exit 2; }
}

config_for() { # config_for PROTOCOL DATASET: the published config, or the embedded model's
    if [ -n "${CFG:-}" ]; then echo "$CFG"; return; fi
    case "$2:$TRAINER" in
        embedded_*:*CoCoOp) echo tiny_ep10 ;;
        embedded_*:*MaPLe | embedded_*:*VPT | embedded_*:*IVLP) echo tiny_ep5 ;;
        embedded_*) [ "$1" = base2new ] && echo tiny_ep50_ctxv1 || echo tiny_ep50 ;;
        *:ZeroshotCLIP) echo vit_b16 ;;
        *CoCoOp) echo vit_b16_c4_ep10_batch1_ctxv1 ;;
        *MaPLe) [ "$1" = xd ] && echo vit_b16_c2_ep5_batch4_2ctx_cross_datasets || echo vit_b16_c2_ep5_batch4_2ctx ;;
        *VPT) echo vit_b16_c2_ep5_batch4_4 ;;
        *IVLP) echo vit_b16_c2_ep5_batch4_2+2ctx ;;
        imagenet:*) echo vit_b16_ep50_ctxv1 ;;
        *) [ "$1" = xd ] && echo vit_b16_ep50_ctxv1 || echo vit_b16_ctxv1 ;;
    esac
}

epochs_of() { # MAX_EPOCH of a config: the epoch whose prompts are tested
    sed -n 's/^ *MAX_EPOCH: *\([0-9]*\).*/\1/p' "configs/trainers/$TRAINER/$1.yaml"
}

run() { # run DATASET CFG SEED DIR [train.py flags and overrides]: once; completed runs are kept
    local dataset="$1" cfg="$2" seed="$3" dir="$4" flags=()
    shift 4
    if "$PYTHON" -m npt_plugin.runs.record "$dir"; then
        echo "The results exist in $dir (nothing to do)"
        return
    fi
    [ -z "$DATA" ] || flags+=(--root "$DATA")
    [ -z "${BACKBONE:-}" ] || flags+=(--backbone "$BACKBONE")
    "$PYTHON" train.py "${flags[@]}" --seed "$seed" --trainer "$TRAINER" \
        --dataset-config-file "configs/datasets/$dataset.yaml" \
        --config-file "configs/trainers/$TRAINER/$cfg.yaml" \
        --output-dir "$dir" "$@"
}
