"""Two sweeps that are started on one output folder at once share the work; no run is done twice."""

from __future__ import annotations

from collections import Counter

import pytest
from cluster_sweep import Sweep

from npt_plugin.sweep.attempts import DONE, read_attempts
from npt_plugin.sweep.claims import Claims


@pytest.mark.slow
def test_they_share_the_runs_and_both_have_the_table(small_clip_file, pets_root, tmp_path):
    datasets, trainer = tmp_path / "configs" / "datasets", tmp_path / "configs" / "trainers"
    datasets.mkdir(parents=True)
    (trainer / "CoOp").mkdir(parents=True)
    (datasets / "pets.yaml").write_text("DATASET: {NAME: OxfordPets}\n")
    (trainer / "CoOp" / "small.yaml").write_text(
        f"MODEL: {{CLIP_WEIGHTS: {small_clip_file}}}\n"
        "INPUT: {SIZE: [32, 32], TRANSFORMS: [normalize]}\n"
        "OPTIM: {NAME: sgd, LR: 0.1, MAX_EPOCH: 10, LR_SCHEDULER: cosine}\n"
        "DATALOADER: {NUM_WORKERS: 0}\n"
    )
    words = ["--datasets", "pets", "--trainers", "CoOp", "--config", "small", "--shots", "4"]
    words += ["--configs", str(datasets.parent), "--root", str(pets_root), "--jobs", "1"]
    out = tmp_path / "out"
    grids = [["--seeds", "1-5"], ["--seeds", "3-8"]]  # they overlap; neither is the other's
    both = [Sweep([*words, *seeds], out) for seeds in grids]
    running = [sweep.start() for sweep in both]
    said = [process.communicate(timeout=200)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    assert all("| CoOp" in text for text in said)

    claims, owners, ends = Claims(out), set(), Counter()
    for folder in claims.folder.iterdir():
        seen = read_attempts(folder)
        ends[tuple(one.state for one in seen)] += 1
        owners |= {one.attempt.owner.pid for one in seen}
    assert ends == {(DONE,): 8} and len(owners) == 2
    for record in out.rglob("results.json"):
        assert len(list(record.parent.glob("log.txt*"))) == 1, record.parent  # one a start
