"""Class by class: bars, confusion and reliability show the numbers they are given."""

import pytest
import torch
from run_records import record

from npt_plugin.errors import UserError
from npt_plugin.evaluation.metrics import expected_calibration_error
from npt_plugin.plots.classes import accuracy_by_frequency, confusion_matrix, reliability


def test_the_confusion_matrix_has_true_classes_as_rows(kept):
    logits = torch.tensor([[5.0, 0.0], [5.0, 0.0], [0.0, 5.0], [5.0, 0.0]])
    figure = confusion_matrix(kept(logits, torch.tensor([0, 0, 1, 1])), record())
    assert figure.axes[0].images[0].get_array().tolist() == [[100, 0], [50, 50]]


def test_bars_go_from_the_most_frequent_class_to_the_rarest():
    classes = [
        {"name": "rare", "train": 1, "group": "few", "accuracy": 20.0},
        {"name": "untested", "train": 9, "group": "many", "accuracy": None},
        {"name": "common", "train": 16, "group": "many", "accuracy": 80.0},
    ]
    limits = {"many_above": 8.0, "few_below": 3.2}
    figure = accuracy_by_frequency(record(per_class=classes, thresholds=limits))
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert said == ["many-shot (> 8 images): mean 80.0%", "few-shot (< 3.2 images): mean 20.0%"]
    axis, counts = figure.axes
    assert [bar.get_height() for bar in axis.patches] == [80.0, 20.0]
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["common", "rare"]
    assert counts.lines[0].get_ydata().tolist() == [16, 1]


def test_a_record_without_classes_is_one_sentence():
    with pytest.raises(UserError, match="no accuracy by class"):
        accuracy_by_frequency(record(per_class=None))


def test_reliability_is_accuracy_against_confidence(kept):
    torch.manual_seed(0)
    logits, labels = torch.randn(200, 3) * 3, torch.randint(3, (200,))
    figure = reliability(kept(logits, labels), record())
    axis, below = figure.axes
    assert sum(bar.get_height() for bar in below.patches) == 200
    assert f"{expected_calibration_error(logits, labels):.1f}%" in axis.get_title()
    confidence, predicted = logits.double().softmax(1).max(1)
    top = confidence > 14 / 15
    right = (predicted[top] == labels[top]).double().mean().item()
    last = max(axis.patches, key=lambda bar: bar.get_x())
    assert last.get_height() == pytest.approx(right)


def test_bins_of_few_images_are_hatched(kept):
    logits = torch.tensor([[9.0, 0.0]] * 10 + [[0.1, 0.0]] * 9)
    axis, _ = reliability(kept(logits, torch.zeros(19, dtype=torch.long)), record()).axes
    bars = sorted(axis.patches, key=lambda bar: bar.get_x())
    assert [bool(bar.get_hatch()) for bar in bars] == [True, False]


def test_images_are_counted_in_whole_numbers():
    classes = [{"name": "a", "train": 3, "group": "few", "accuracy": 20.0}]
    figure = accuracy_by_frequency(record(per_class=classes, thresholds=None))
    assert all(float(tick).is_integer() for tick in figure.axes[1].get_yticks())
