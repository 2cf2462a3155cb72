"""Score the predictions of a whole split."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from yacs.config import CfgNode

from minidassl.evaluation.build import EVALUATOR_REGISTRY


class EvaluatorBase:
    """What a trainer calls while it tests.

    Args:
        cfg: The config tree.
    """

    def __init__(self, cfg: CfgNode) -> None:
        self.cfg = cfg

    def reset(self) -> None:
        """Forget all batches."""
        raise NotImplementedError

    def process(self, mo: torch.Tensor, gt: torch.Tensor) -> None:
        """Take in one batch.

        Args:
            mo: Model output (B, K).
            gt: Labels (B,).
        """
        raise NotImplementedError

    def evaluate(self) -> dict[str, float]:
        """Print and return the metrics of all batches.

        Returns:
            Metrics by name; the first is what ``test`` of a trainer returns.
        """
        raise NotImplementedError


@EVALUATOR_REGISTRY.register()
class Classification(EvaluatorBase):
    """Accuracy, error rate, macro F1; per-class accuracy and a confusion matrix on request.

    Args:
        cfg: The config tree; reads ``TEST.PER_CLASS_RESULT``, ``TEST.COMPUTE_CMAT``, and
            ``OUTPUT_DIR``.
        lab2cname: Class name of each label, needed for per-class results.
        **kwargs: Ignored.
    """

    def __init__(
        self, cfg: CfgNode, lab2cname: Mapping[int, str] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(cfg)
        if cfg.TEST.PER_CLASS_RESULT and lab2cname is None:
            raise AssertionError("TEST.PER_CLASS_RESULT needs the class names (lab2cname).")
        self._lab2cname = lab2cname
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self._y_true: list[int] = []
        self._y_pred: list[int] = []

    def process(self, mo: torch.Tensor, gt: torch.Tensor) -> None:
        """Take in one batch.

        Args:
            mo: Scores (B, K).
            gt: Labels (B,), integer.
        """
        predicted = mo.max(dim=1).indices  # (B,)
        self._y_pred += predicted.tolist()
        self._y_true += gt.tolist()

    def evaluate(self) -> dict[str, float]:
        """Print and return the metrics.

        Returns:
            ``accuracy``, ``error_rate``, ``macro_f1``; on request ``perclass_accuracy``; all in
            percent.
        """
        total = len(self._y_true)
        correct = sum(t == p for t, p in zip(self._y_true, self._y_pred, strict=True))
        accuracy = 100.0 * correct / total
        results = {"accuracy": accuracy, "error_rate": 100.0 - accuracy}
        results["macro_f1"] = 100.0 * self._macro_f1()
        print(
            f"=> result\n* total: {total:,}\n* correct: {correct:,}\n"
            f"* accuracy: {accuracy:.1f}%\n* error: {results['error_rate']:.1f}%\n"
            f"* macro_f1: {results['macro_f1']:.1f}%"
        )
        if self.cfg.TEST.PER_CLASS_RESULT:
            results["perclass_accuracy"] = self._report_classes(sorted(set(self._y_true)))
        if self.cfg.TEST.COMPUTE_CMAT:
            self._save_confusion()
        return results

    def _places(self) -> tuple[np.ndarray, np.ndarray, int]:
        """Labels (N,) and predictions (N,) as places among the K classes seen or predicted; K."""
        classes, places = np.unique([self._y_true, self._y_pred], return_inverse=True)
        true, predicted = places.reshape(2, -1)
        return true, predicted, len(classes)

    def _macro_f1(self) -> float:
        """Mean of 2 hits / (images + claims) over the classes that have images."""
        true, predicted, k = self._places()
        counted = (true[true == predicted], true, predicted)
        hits, images, claims = (np.bincount(some, minlength=k) for some in counted)  # (K,) each
        had = images > 0
        return float(np.mean(2.0 * hits[had] / (images + claims)[had]))

    def _report_classes(self, labels: list[int]) -> float:
        """Print the accuracy of each class present and return their mean, in percent."""
        totals = dict.fromkeys(labels, 0)
        hits = dict.fromkeys(labels, 0)
        for true, predicted in zip(self._y_true, self._y_pred, strict=True):
            totals[true] += 1
            hits[true] += true == predicted
        print("=> per-class result")
        for label in labels:
            print(
                f"* class: {label} ({self._lab2cname[label]})\ttotal: {totals[label]:,}\t"
                f"correct: {hits[label]:,}\tacc: {100.0 * hits[label] / totals[label]:.1f}%"
            )
        average = sum(100.0 * hits[label] / totals[label] for label in labels) / len(labels)
        print(f"* average: {average:.1f}%")
        return average

    def _save_confusion(self) -> None:
        """Save the confusion matrix, rows being true classes that sum to one."""
        true, predicted, k = self._places()
        counts = np.bincount(true * k + predicted, minlength=k * k).reshape(k, k)
        images = counts.sum(axis=1, keepdims=True)  # (K, 1)
        matrix = counts / np.maximum(images, 1)  # rows of classes without images are 0
        path = os.path.join(self.cfg.OUTPUT_DIR, "cmat.pt")
        torch.save(torch.from_numpy(matrix), path)
        print(f"Confusion matrix is saved to {path}")
