"""Of which training images a test speaks: those of the run it tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from npt_plugin.errors import UserError
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record


def take_trained_counts(trainer: Any) -> None:
    """Give a trainer that only tests the class counts of the run in ``trainer.trained_in``.

    Many, medium and few, and post-hoc adjustment go by them. The test's own config may ask for
    others: another imbalance than in training, or an unseeded run's random order of classes.

    Args:
        trainer: A ``PromptTrainer``. Without a record of a run on its classes in that folder it
            keeps the counts of its own data.
    """
    path = Path(trainer.trained_in or "") / RESULTS
    try:
        record = read_record(path)
    except UserError:
        return  # prompts of another codebase, or of a run without a record
    if (record.dataset, record.class_names) != (trainer.cfg.DATASET.NAME, trainer.classnames):
        return
    counts = torch.tensor(record.class_counts or [], dtype=torch.int64)  # (K,)
    if len(counts) and not torch.equal(counts, trainer.class_counts):
        print(
            f"Training images per class: {int(counts.min())} to {int(counts.max())}, of the run in "
            f"{trainer.trained_in}; the settings of this test would give others"
        )
        trainer.class_counts = counts
