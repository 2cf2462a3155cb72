"""The stand-in engine against Dassl itself: same seed, same batches, numbers, log and files.

Runs when NPT_HOSTS names a folder that holds a checkout of Dassl (``Dassl.pytorch``).
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
HOSTS = os.environ.get("NPT_HOSTS", "")

pytestmark = pytest.mark.skipif(
    not (HOSTS and (Path(HOSTS) / "Dassl.pytorch" / "dassl").is_dir()),
    reason="NPT_HOSTS does not name a folder with a Dassl.pytorch checkout",
)

# Exactly equal except where the same formula is summed in another order.
TOLERANT = {"radam False": 1e-6, "radam True": 1e-6}


def run_engine(engine, work, output, script="engine_trace.py"):
    script = [sys.executable, str(HERE / script), engine, HOSTS, str(work), str(output)]
    paths = [str(REPOSITORY), str(REPOSITORY / "third_party")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(script, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return torch.load(output, weights_only=True)


@pytest.fixture(scope="module")
def traces(tmp_path_factory):
    work = tmp_path_factory.mktemp("parity")
    return [run_engine(e, work, work / f"{e}.pt") for e in ("dassl", "minidassl")]


def differences(theirs, ours, where=""):
    """Yield the places at which two traces differ."""
    if isinstance(theirs, torch.Tensor):
        name = where.rsplit("/", 1)[-1]
        bound = TOLERANT.get(name, 0.0)
        same_kind = theirs.dtype == ours.dtype and theirs.shape == ours.shape
        if not same_kind or not torch.allclose(theirs, ours, rtol=0, atol=bound):
            yield where
    elif isinstance(theirs, dict):
        if list(theirs) != list(ours):
            yield f"{where}: keys {list(theirs)} and {list(ours)}"
            return
        for key, value in theirs.items():
            yield from differences(value, ours[key], f"{where}/{key}")
    elif isinstance(theirs, (list, tuple)):
        if len(theirs) != len(ours):
            yield f"{where}: {len(theirs)} and {len(ours)} entries"
            return
        for i, (a, b) in enumerate(zip(theirs, ours, strict=True)):
            yield from differences(a, b, f"{where}/{i}")
    elif theirs != ours and not (where.endswith("log") and condensed(theirs) == condensed(ours)):
        yield f"{where}: {theirs!r} and {ours!r}"


def condensed(log):
    """What a log says: minidassl puts each transform's parts on one line and draws no rules."""
    log = re.sub(r"^-+( +-+)*\n", "", log, flags=re.M)
    log = re.sub(r"(transform_(?:train|test))\n\+ ", r"\1: ", log)
    return re.sub(r"\n\+ ", ", ", log)


@pytest.mark.parametrize(
    "part",
    [
        "config",
        "samplers",
        "fewshot",
        "batches",
        "optim",
        "numbers",
        "train last_step",
        "train best_val",
    ],
)
def test_part_is_the_same(traces, part):
    theirs, ours = (trace[part] for trace in traces)
    assert list(differences(theirs, ours)) == []


@pytest.mark.skipif(not (Path(HOSTS) / "CoOp").is_dir(), reason="no CoOp checkout in NPT_HOSTS")
def test_real_coop_trainer_takes_the_same_steps(tmp_path):
    theirs, ours = (
        run_engine(engine, tmp_path, tmp_path / f"{engine}.pt", script="coop_trace.py")
        for engine in ("dassl", "minidassl")
    )
    assert len(ours["steps"]) == 20 and len({step[0] for step in ours["steps"]}) == 20
    assert list(differences(theirs, ours)) == []
