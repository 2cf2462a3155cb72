"""``npt train --dry-run``."""

import pytest


def test_dry_run_shows_the_run_and_writes_nothing(train_here, tmp_path):
    done = train_here(
        "--trainer", "NPT_CoOp", "--seed", "1", "--dry-run", "--output-dir", str(tmp_path / "no")
    )
    assert done.returncode == 0, done.stderr
    for part in (
        "prompt_learner.ctx",
        "(3, 64)",
        "Step 2: loss",
        "[3 learned vectors] red kite.",
        "Training images per class",
        "Training: 6 steps",
        "Whole run: about 0:00:",
        "Memory: about process",
        "MiB",
        "Nothing was written.",
    ):
        assert part in done.stdout, part
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("name", ["Decoder", "GNM_PT", "LinearProbe", "TwoStage"])
def test_dry_run_counts_what_is_learned(train_here, first_stages, name):
    run = ("TRAINER.TWO_STAGE.RUN", str(first_stages("CoOp")))
    done = train_here("--trainer", name, "--seed", "1", "--dry-run", options=run)
    assert done.returncode == 0, done.stderr
    assert "Learned parameters" in done.stdout and "Nothing was written." in done.stdout
    assert "Step 2: loss" in done.stdout
