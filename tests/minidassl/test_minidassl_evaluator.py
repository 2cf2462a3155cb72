import random
import re
import sys

import numpy as np
import pytest
import torch
from minidassl.config import get_cfg_default
from minidassl.evaluation import build_evaluator
from sklearn import metrics

NAMES = {0: "cat", 1: "dog", 2: "tiny bird"}
# class 0: 2 of 2 right, class 1: 1 of 3 right (two called 0), class 2: absent from the labels
LABELS = [0, 0, 1, 1, 1]
PREDICTED = [0, 0, 1, 0, 0]


def run(tmp_path, **options):
    cfg = get_cfg_default()
    cfg.OUTPUT_DIR = str(tmp_path)
    for name, value in options.items():
        cfg.TEST[name] = value
    evaluator = build_evaluator(cfg, lab2cname=NAMES)
    evaluator.process(torch.eye(3)[[2, 2]], torch.tensor([0, 1]))
    evaluator.reset()  # forgets that
    for part in (slice(0, 2), slice(2, 5)):
        evaluator.process(torch.eye(3)[PREDICTED[part]], torch.tensor(LABELS[part]))
    return evaluator.evaluate()


def test_metrics_by_hand(tmp_path):
    results = run(tmp_path)
    assert list(results) == ["accuracy", "error_rate", "macro_f1"]
    # F1 of class 0: precision 2/4, recall 1; of class 1: precision 1, recall 1/3
    macro_f1 = 100 * ((2 * 0.5 / 1.5) + (2 / 3 / (4 / 3))) / 2
    assert results["accuracy"] == pytest.approx(60) and results["error_rate"] == pytest.approx(40)
    assert results["macro_f1"] == pytest.approx(macro_f1)


def test_log_is_what_parse_scripts_read(tmp_path, capsys):
    run(tmp_path)
    log = capsys.readouterr().out
    lines = ["=> result", "* total: 5", "* correct: 3", "* accuracy: 60.0%", "* error: 40.0%"]
    assert log.splitlines()[1:6] == lines
    assert float(re.search(r"\* macro_f1: ([\.\deE+-]+)%", log).group(1)) == pytest.approx(58.3)


def test_per_class_report(tmp_path, capsys):
    results = run(tmp_path, PER_CLASS_RESULT=True)
    assert results["perclass_accuracy"] == pytest.approx((100 + 100 / 3) / 2)
    log = capsys.readouterr().out
    assert "=> per-class result\n* class: 0 (cat)\ttotal: 2\tcorrect: 2\tacc: 100.0%\n" in log
    assert "* class: 1 (dog)\ttotal: 3\tcorrect: 1\tacc: 33.3%\n* average: 66.7%\n" in log
    assert "tiny bird" not in log


def test_confusion_matrix_rows_sum_to_one(tmp_path):
    run(tmp_path, COMPUTE_CMAT=True)
    matrix = torch.load(tmp_path / "cmat.pt", weights_only=True)
    expected = torch.tensor([[1, 0], [2 / 3, 1 / 3]], dtype=torch.float64)
    torch.testing.assert_close(matrix, expected)


def test_unknown_evaluator_is_named():
    cfg = get_cfg_default()
    cfg.TEST.EVALUATOR = "Clasification"
    with pytest.raises(ValueError, match=r"did you mean \[Classification\]"):
        build_evaluator(cfg)


@pytest.mark.parametrize("k, n", [(2, 5), (7, 30), (40, 35), (200, 3000)])
def test_numbers_are_scikit_learns_to_the_bit(tmp_path, k, n):
    """Also of classes without images or never predicted, and of label numbers with gaps."""
    draw = np.random.default_rng(k)
    names = draw.choice(3 * k, k, replace=False)
    true, guessed = names[draw.integers(0, k, (2, n))]
    predicted = np.where(draw.random(n) < 0.5, true, guessed)
    cfg = get_cfg_default()
    cfg.OUTPUT_DIR, cfg.TEST.COMPUTE_CMAT = str(tmp_path), True
    evaluator = build_evaluator(cfg)
    evaluator.process(torch.eye(3 * k)[torch.from_numpy(predicted)], torch.from_numpy(true))
    expected = metrics.f1_score(true, predicted, average="macro", labels=np.unique(true))
    assert evaluator.evaluate()["macro_f1"] == 100.0 * float(expected)
    matrix = torch.load(tmp_path / "cmat.pt", weights_only=True)
    expected = torch.from_numpy(metrics.confusion_matrix(true, predicted, normalize="true"))
    torch.testing.assert_close(matrix, expected, rtol=0, atol=0)


def test_evaluating_needs_no_scikit_learn(tmp_path, monkeypatch):
    """Importing it takes a second, and what it imports may draw random numbers of the run."""
    monkeypatch.setitem(sys.modules, "sklearn", None)
    before = random.getstate()
    run(tmp_path, COMPUTE_CMAT=True)
    assert random.getstate() == before
