"""Evaluate the models of a trainer on a split."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from minidassl.engine.trainer_base import TrainerBase

Batch = dict[str, Any]


class Tester(TrainerBase):
    """Adds ``test``; a subclass sets ``cfg``, ``device``, ``evaluator``, ``model`` and loaders."""

    def _split_to_test(self, wanted: str | None) -> tuple[str, DataLoader]:
        """Return name and loader of a split; without validation data that is always test."""
        name = wanted or self.cfg.TEST.SPLIT
        use_val = name == "val" and self.val_loader is not None
        return (name, self.val_loader) if use_val else ("test", self.test_loader)

    @torch.no_grad()
    def test(self, split: str | None = None, **others: Any) -> float:
        """Evaluate on a split and print the result.

        Args:
            split: Val or test; ``TEST.SPLIT`` when None. Without validation data, test.
            others: What changed copies of Dassl take besides; named as not used.

        Returns:
            The evaluator's first metric.
        """
        if others:
            print(f"test() of minidassl does not use {', '.join(others)}")
        name, loader = self._split_to_test(split)
        self.set_model_mode("eval")
        judge = self.evaluator
        judge.reset()
        print(f"Evaluate on the *{name}* set")
        for batch in tqdm(loader, disable=None):  # no bar in a file or pipe
            images, labels = self.parse_batch_test(batch)
            judge.process(self.model_inference(images), labels)
        metrics = judge.evaluate()
        for metric, value in metrics.items():
            self.write_scalar(f"{name}/{metric}", value, self.epoch)
        return next(iter(metrics.values()))

    def model_inference(self, input: torch.Tensor) -> torch.Tensor:
        """Compute the scores of a batch.

        Args:
            input: Images (B, 3, H, W).

        Returns:
            Scores (B, K).
        """
        return self.model(input)

    def parse_batch_test(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Move images and labels to the device.

        Args:
            batch: From the loader.

        Returns:
            Images (B, 3, H, W), labels (B,).
        """
        return batch["img"].to(self.device), batch["label"].to(self.device)
