"""A configs folder of its own for sweeps."""

import pytest


@pytest.fixture
def tree(tmp_path, small_clip_file):
    """A configs folder for the miniature pets and the random CLIP."""
    datasets, trainers = tmp_path / "configs" / "datasets", tmp_path / "configs" / "trainers"
    datasets.mkdir(parents=True)
    (datasets / "pets.yaml").write_text("DATASET: {NAME: OxfordPets}\n")
    for name in ("CoOp", "NPT_CoOp", "ZeroshotCLIP"):
        (trainers / name).mkdir(parents=True)
        (trainers / name / "small.yaml").write_text(
            f"MODEL: {{CLIP_WEIGHTS: {small_clip_file}}}\n"
            "INPUT: {SIZE: [32, 32], TRANSFORMS: [normalize]}\n"
            "OPTIM: {NAME: sgd, LR: 0.1, MAX_EPOCH: 2, LR_SCHEDULER: cosine}\n"
            "DATALOADER: {NUM_WORKERS: 0}\n"
        )
    return tmp_path / "configs"
