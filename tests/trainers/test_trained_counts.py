"""Whose training images a test speaks of, in the cases that no run of ours makes."""

from types import SimpleNamespace

import pytest
import torch

from npt_plugin.runs.layout import RESULTS
from npt_plugin.trainers.trained_counts import take_trained_counts


@pytest.mark.parametrize("content", [None, "{}", "not JSON"])
def test_without_a_record_of_ours_the_own_data_count(tmp_path, content, capsys):
    if content is not None:
        (tmp_path / RESULTS).write_text(content)
    trainer = SimpleNamespace(trained_in=str(tmp_path), class_counts=torch.tensor([4, 2]))
    take_trained_counts(trainer)
    assert trainer.class_counts.tolist() == [4, 2] and not capsys.readouterr().out
