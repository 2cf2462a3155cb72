"""The accuracy benchmarks: pairing, and that a stopped call goes on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from npt_plugin.embedded.benchmarks import ensure_benchmarks

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS / "accuracy"))


def test_the_accuracy_benchmarks_pair_by_seed():
    from paired_runs import cell, difference, text_of

    row = cell([70.0, 72.0, 74.0])
    row["minus V=0"] = difference([70.0, 72.0, 74.0], [69.0, 72.0, 72.0])
    assert row["mean"] == 72 and row["minus V=0"]["mean"] == 1
    low, high = row["minus V=0"]["interval"]
    assert low < 1 < high
    assert text_of(row) == "72.0 ± 2.0 (+1.0 [-1.5, +3.5])"
    alone = cell([70.0])
    alone["minus V=0"] = difference([70.0], [71.0])
    assert text_of(alone) == "70.0 (-1.0)"
    json.dumps(alone, allow_nan=False)


@pytest.mark.long  # two minutes for two scripts that nothing else uses
@pytest.mark.parametrize(
    "name, few",
    [
        ("feature_cache", ["--ratios", "0.06", "--views", "0", "1"]),
        ("half_precision", ["--trainers", "ZeroshotCLIP"]),
    ],
)
def test_the_accuracy_benchmarks_run_and_go_on(name, few, tmp_path):
    """One small dataset, one seed, few steps; the second call has nothing left to do."""
    ensure_benchmarks(tmp_path / "data", ["EmbeddedTextures"], per_class=(16, 2, 2))
    out, root = tmp_path / "out.json", BENCHMARKS.parent
    command = [sys.executable, "-W", "ignore", str(BENCHMARKS / "accuracy" / f"{name}.py")]
    command += ["--root", str(tmp_path / "data"), "--output", str(tmp_path / "runs")]
    command += ["--datasets", "embedded_textures", "--seeds", "1", "--steps", "50"]
    command += ["--jobs", "1", "--out", str(out), *few]
    environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'third_party'}"}
    for todo in ("0 completed already", " 0 to do"):
        said = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        assert todo in said.stdout
        rows = json.loads(out.read_text())["rows"]
        assert rows and all(row["dataset"] == "embedded_textures" for row in rows)
