"""The training epoch: over labelled data, or over labelled and unlabelled data side by side."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader

from minidassl.engine.simple_trainer import SimpleTrainer
from minidassl.errors import ConfigError
from minidassl.utils import AverageMeter, MetricMeter


def _endless(loader: DataLoader) -> Iterator[Any]:
    while True:
        yield from loader


class _EpochTrainer(SimpleTrainer):
    """The epoch loop; a subclass says which batches it runs over."""

    def _count_batches(self) -> int:
        raise NotImplementedError

    def _batches(self) -> Iterator[tuple[Any, ...]]:
        """Yield the arguments of each call of ``forward_backward``."""
        raise NotImplementedError

    def run_epoch(self) -> None:
        """Train one epoch, printing every ``TRAIN.PRINT_FREQ`` batches."""
        self.set_model_mode("train")
        losses, batch_time, data_time = MetricMeter(), AverageMeter(), AverageMeter()
        every = self.cfg.TRAIN.PRINT_FREQ
        self.num_batches = self._count_batches()
        clock = time.time()
        for index, batches in enumerate(self._batches()):
            self.batch_idx = index
            data_time.update(time.time() - clock)
            summary = self.forward_backward(*batches)
            batch_time.update(time.time() - clock)
            losses.update(summary)
            if (self.batch_idx + 1) % every == 0 or self.num_batches < every:
                print(self._progress(batch_time, data_time, losses))
            self._write_progress(losses)
            clock = time.time()

    def _progress(
        self, batch_time: AverageMeter, data_time: AverageMeter, losses: MetricMeter
    ) -> str:
        """Return the line that log parsers know."""
        to_go = self.num_batches - self.batch_idx - 1
        to_go += (self.max_epoch - self.epoch - 1) * self.num_batches
        eta = datetime.timedelta(seconds=int(batch_time.avg * to_go))
        return (
            f"epoch [{self.epoch + 1}/{self.max_epoch}] "
            f"batch [{self.batch_idx + 1}/{self.num_batches}] "
            f"time {batch_time.val:.3f} ({batch_time.avg:.3f}) "
            f"data {data_time.val:.3f} ({data_time.avg:.3f}) "
            f"{losses} lr {self.get_current_lr():.4e} eta {eta}"
        )

    def _write_progress(self, losses: MetricMeter) -> None:
        step = self.epoch * self.num_batches + self.batch_idx
        for name, meter in losses.meters.items():
            self.write_scalar(f"train/{name}", meter.avg, step)
        self.write_scalar("train/lr", self.get_current_lr(), step)


class TrainerX(_EpochTrainer):
    """Trains on labelled data; a subclass defines ``forward_backward(batch)``."""

    def _count_batches(self) -> int:
        return len(self.train_loader_x)

    def _batches(self) -> Iterator[tuple[Any, ...]]:
        return ((batch,) for batch in self.train_loader_x)

    def parse_batch_train(
        self, batch: dict[str, Any]
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Move images, labels and domains to the device.

        Args:
            batch: From the loader.

        Returns:
            Images (B, 3, H, W), labels (B,), domains (B,).
        """
        images, labels, domains = (batch[key].to(self.device) for key in ("img", "label", "domain"))
        return images, labels, domains


class TrainerXU(_EpochTrainer):
    """Trains on labelled and unlabelled data; defines ``forward_backward(batch_x, batch_u)``."""

    def _count_batches(self) -> int:
        x, u = len(self.train_loader_x), len(self.train_loader_u)
        counts = {"train_x": x, "train_u": u, "smaller_one": min(x, u)}
        rule = self.cfg.TRAIN.COUNT_ITER
        if rule not in counts:
            raise ConfigError(f"TRAIN.COUNT_ITER is {rule!r}; allowed are {list(counts)}.")
        return counts[rule]

    def _batches(self) -> Iterator[tuple[Any, ...]]:
        labelled, unlabelled = _endless(self.train_loader_x), _endless(self.train_loader_u)
        for _ in range(self.num_batches):
            yield next(labelled), next(unlabelled)

    def parse_batch_train(
        self, batch_x: dict[str, Any], batch_u: dict[str, Any]
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Move labelled images, labels and unlabelled images to the device.

        Args:
            batch_x: From the labelled loader.
            batch_u: From the unlabelled loader.

        Returns:
            Images (B, 3, H, W), labels (B,), unlabelled images (B, 3, H, W).
        """
        images, labels = batch_x["img"].to(self.device), batch_x["label"].to(self.device)
        return images, labels, batch_u["img"].to(self.device)
