"""What a run keeps of its test images."""

import pytest

from npt_plugin.errors import UserError
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.predictions import PREDICTIONS, Predictions
from npt_plugin.runs.record import read_record


def test_predictions_are_kept_and_checked(run):
    kept = Predictions.load(run)
    record = read_record(run / RESULTS)
    accuracy = 100 * (kept.logits.argmax(1) == kept.labels).double().mean().item()
    assert accuracy == record.metrics["accuracy"]
    assert kept.class_names == record.class_names
    data = (run / PREDICTIONS).read_bytes()
    (run / PREDICTIONS).write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match="cannot be read"):
        Predictions.load(run)
