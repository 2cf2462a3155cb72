# Shared by the run scripts. Sourced, not run.
#
# Environment of every script:
#   DATA      folder of the datasets (drawn datasets: ./data)
#   TRAINER   trainer; the folder of the script sets its default
#   CFG       file name in configs/trainers/$TRAINER (default: the published config of the protocol)
#   SHOTS     16, images of the largest class
#   RATIO     tau = n_min / n_max; 0.06 in scripts/npt, 1.0 (balanced, as published) elsewhere
#   BACKBONE  CLIP, by name or file (the config's)
#   OUTPUT    output
#   LOADEP    epoch to test (the last)
# Words after the script's own arguments are config overrides: KEY value ...
# Which runs a protocol has, where they lie and what is published: npt_plugin/sweep/protocols.py.

cd "$(dirname "${BASH_SOURCE[0]}")/.."
PYTHON="$(bash scripts/setup.sh)"

usage() { # usage HOW-TO COUNT "$@": stop unless COUNT arguments were given
    local how="$1" count="$2"
    shift 2
    [ "$#" -ge "$count" ] || { echo "usage: bash $how" >&2; exit 2; }
}

run() { # run PROTOCOL PART DATASET SEED [flags and overrides]: once; completed runs are kept
    local protocol="$1" part="$2" dataset="$3" seed="$4"
    shift 4
    "$PYTHON" -m npt_plugin protocol "$protocol" --part "$part" --dataset "$dataset" \
        --seed "$seed" --trainer "$TRAINER" --shots "${SHOTS:-16}" --ratio "${RATIO:-1.0}" \
        --output "${OUTPUT:-output}" --root "${DATA:-}" --config "${CFG:-}" \
        --backbone "${BACKBONE:-}" ${LOADEP:+--load-epoch "$LOADEP"} "$@"
}
