"""A sweep of 24 short jobs, and what the local engine makes of it: the reference for clusters."""

from __future__ import annotations

import pytest
from cluster_sweep import JOBS, Sweep


@pytest.fixture(scope="session")
def words(tmp_path_factory, small_clip_file, pets_root):
    """24 jobs, 48 runs, of a second or two."""
    configs = tmp_path_factory.mktemp("cluster") / "configs"
    (configs / "datasets").mkdir(parents=True)
    (configs / "datasets" / "pets.yaml").write_text("DATASET: {NAME: OxfordPets}\n")
    for name in ("CoOp", "NPT_CoOp"):
        (configs / "trainers" / name).mkdir(parents=True)
        (configs / "trainers" / name / "small.yaml").write_text(
            f"MODEL: {{CLIP_WEIGHTS: {small_clip_file}}}\n"
            "INPUT: {SIZE: [32, 32], TRANSFORMS: [normalize]}\n"
            "OPTIM: {NAME: sgd, LR: 0.1, MAX_EPOCH: 25, LR_SCHEDULER: cosine}\n"
            "DATALOADER: {NUM_WORKERS: 0}\n"
        )
    found = ["--datasets", "pets", "--trainers", "CoOp", "NPT_CoOp", "--seeds", "1-12"]
    found += ["--config", "small", "--configs", str(configs), "--root", str(pets_root)]
    return [*found, "--shots", "4"]


@pytest.fixture
def sweep(words, tmp_path):
    return Sweep(words, tmp_path / "out")


@pytest.fixture(scope="session")
def reference(words, tmp_path_factory):
    """What the local engine makes of it."""
    local = Sweep(words, tmp_path_factory.mktemp("local") / "out")
    local.run("--jobs", "2")
    runs, table = local.numbers()
    assert len(runs) == 2 * JOBS and len(table) > 3
    return runs, table
