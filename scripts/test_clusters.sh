#!/usr/bin/env bash
# A sweep on a real Slurm and a real Ray cluster, both on this machine: bash scripts/test_clusters.sh [pytest arguments]
#
# What is missing is brought: Slurm and munge from the distribution (apt-get, as root), submitit and Ray
# by pip where the environment is this checkout's own (.venv) or a CI's. What cannot be brought is named,
# with the reason, and that part is left out. The clusters have folders, keys and ports of their own: a
# slurm.conf or a munge key of this machine is neither read nor written.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PYTHON="$(bash scripts/setup.sh dev)"
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 PATH="$PATH:/usr/sbin:/sbin"

bring_package() { # bring_package MODULE EXTRA
    "$PYTHON" -c "import $1" 2>/dev/null && return
    case "$PYTHON:${CI:-}" in
    "$PWD/.venv/"*:* | *:true | *:1) ;;
    *) echo "$2 is left out: $PYTHON has no $1, and is not ours to change (pip install 'npt-plugin[$2]')"; return ;;
    esac
    echo "installing $1"
    "$PYTHON" scripts/requirements.py extra "$2" | xargs -d '\n' "$PYTHON" -m pip install --disable-pip-version-check --quiet ||
        echo "$2 is left out: pip could not install $1"
}

bring_slurm() {
    command -v slurmctld slurmd munged sbatch >/dev/null && return
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "slurm is left out: it is not installed, and without root and apt-get it cannot be"
        return
    fi
    echo "installing slurmctld, slurmd and munge"
    local policy=/usr/sbin/policy-rc.d log
    log="$(mktemp)"
    if [ ! -e "$policy" ]; then # the packages shall start no service: the tests have their own daemons
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        # shellcheck disable=SC2064
        trap "rm -f '$policy'" EXIT
    fi
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends slurmctld slurmd slurm-client munge; } \
        >"$log" 2>&1 || { echo "slurm is left out: apt-get could not install it"; tail -3 "$log"; }
    rm -f "$log"
}

bring_slurm
bring_package submitit slurm
bring_package ray ray
"$PYTHON" -m pytest -q -rs -m cluster tests/clusters "$@"
