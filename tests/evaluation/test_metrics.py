"""Metrics against cases worked by hand and slow loops."""

import pytest
import torch

from npt_plugin.evaluation.metrics import (
    classification_metrics,
    expected_calibration_error,
    per_class_accuracy,
)


def logits_for(predictions, n_classes, scale=5.0):
    return torch.nn.functional.one_hot(torch.tensor(predictions), n_classes).float() * scale


def test_a_case_worked_by_hand():
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2])
    logits = logits_for([0, 0, 0, 1, 1, 0, 0, 1], 4)
    metrics = classification_metrics(logits, labels, [16, 8, 1, 3])
    assert metrics["accuracy"] == 50.0
    assert metrics["macro_accuracy"] == pytest.approx((75 + 50 + 0) / 3)  # class 3: no test image
    assert metrics["classes_evaluated"] == 3
    assert metrics["worst_class"] == 0.0
    assert metrics["many"] == 75.0  # 16 > 8
    assert metrics["medium"] == 50.0  # 8 is not above 8, not below 3.2
    assert metrics["few"] == 0.0  # class 3 has no test image and does not count


def test_a_group_without_classes_is_none_not_zero():
    metrics = classification_metrics(logits_for([0, 1], 2), torch.tensor([0, 1]), [16, 16])
    assert metrics["many"] == 100.0 and metrics["medium"] is None and metrics["few"] is None
    assert "many" not in classification_metrics(logits_for([0, 1], 2), torch.tensor([0, 1]))


def test_per_class_accuracy_of_an_absent_class_is_none():
    assert per_class_accuracy(torch.tensor([1]), torch.tensor([1]), 3) == [None, 100.0, None]


def test_ece_against_a_loop_over_bins():
    torch.manual_seed(0)
    logits, labels = torch.randn(500, 7) * 3, torch.randint(7, (500,))
    probability = logits.double().softmax(1)
    expected = 0.0
    for b in range(15):
        inside = [i for i in range(500) if b / 15 < probability[i].max() <= (b + 1) / 15]
        if inside:
            right = sum(int(probability[i].argmax() == labels[i]) for i in inside) / len(inside)
            sure = sum(float(probability[i].max()) for i in inside) / len(inside)
            expected += len(inside) / 500 * abs(right - sure)
    assert expected_calibration_error(logits, labels) == pytest.approx(100 * expected)


def test_ece_uses_the_scale_of_the_logits():
    labels = torch.zeros(10, dtype=torch.long)
    cosines = torch.zeros(10, 100)
    cosines[:, 0] = 1.0
    assert expected_calibration_error(cosines, labels) > 90  # always right, 2.7 % sure
    assert expected_calibration_error(cosines * 100, labels) == pytest.approx(0, abs=1e-6)
