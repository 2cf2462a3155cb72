"""Progress of one epoch: Dassl's log lines and TensorBoard, without a device sync each step."""

from __future__ import annotations

import datetime
import time
from typing import Any

import torch
from torch import Tensor

from npt_plugin.engine.framework import AverageMeter, MetricMeter
from npt_plugin.trainers.checkpoints import what_is_kept


class EpochLog:
    """Collects step summaries on the device and reads them once every ``TRAIN.PRINT_FREQ`` steps.

    Args:
        trainer: A running trainer (``epoch``, ``num_batches``, ``cfg``, ``write_scalar``).
    """

    def __init__(self, trainer: Any) -> None:
        self.trainer = trainer
        self.meters = MetricMeter()
        self.batch_time, self.data_time = AverageMeter(), AverageMeter()
        self.pending: list[dict[str, Tensor]] = []
        self.end = time.time()

    def data_ready(self) -> None:
        """The loader has delivered a batch."""
        self.data_time.update(time.time() - self.end)

    def step_done(self, summary: dict[str, Tensor]) -> None:
        """One optimiser step is over (its kernels may still run)."""
        self.pending.append(summary)
        self.batch_time.update(time.time() - self.end)
        done, freq = self.trainer.batch_idx + 1, self.trainer.cfg.TRAIN.PRINT_FREQ
        if done % freq == 0 or self.trainer.num_batches < freq:
            self.flush()
            self._print(done)
        self.end = time.time()

    def averages(self) -> dict[str, float]:
        """Learning rate, and the epoch's mean of every term; call it after ``flush``."""
        means = {name: meter.avg for name, meter in self.meters.meters.items()}
        return {"lr": self.trainer.get_current_lr(), **means}

    def flush(self) -> None:
        """Move the collected summaries to the meters and TensorBoard.

        Raises:
            FloatingPointError: If a term was not finite; it is named with its step.
        """
        if not self.pending:
            return
        names = list(self.pending[0])
        stacked = torch.stack([torch.stack([s[n].float() for n in names]) for s in self.pending])
        rows = stacked.cpu()  # (steps, terms): the only transfer
        first = self.trainer.batch_idx + 1 - len(self.pending)
        for offset, row in enumerate(rows.tolist()):
            summary = dict(zip(names, row, strict=True))
            self._check(summary, first + offset)
            self.meters.update(summary)
            self._write(first + offset)
        self.pending.clear()

    def _check(self, summary: dict[str, float], step: int) -> None:
        for name, value in summary.items():
            if value - value != 0:  # inf or nan
                raise FloatingPointError(
                    f"{name} is {value} at epoch {self.trainer.epoch + 1}, step {step + 1}: lower "
                    f"OPTIM.LR or use PREC fp32. {what_is_kept(self.trainer)}"
                )

    def _write(self, step: int) -> None:
        trainer = self.trainer
        at = trainer.epoch * trainer.num_batches + step
        for name, meter in self.meters.meters.items():
            trainer.write_scalar(f"train/{name}", meter.avg, at)
        trainer.write_scalar("train/lr", trainer.get_current_lr(), at)

    def _print(self, done: int) -> None:
        trainer = self.trainer
        left = trainer.num_batches - done
        left += (trainer.max_epoch - trainer.epoch - 1) * trainer.num_batches
        eta = datetime.timedelta(seconds=int(self.batch_time.avg * left))
        print(
            f"epoch [{trainer.epoch + 1}/{trainer.max_epoch}] "
            f"batch [{done}/{trainer.num_batches}] "
            f"time {self.batch_time.val:.3f} ({self.batch_time.avg:.3f}) "
            f"data {self.data_time.val:.3f} ({self.data_time.avg:.3f}) "
            f"{self.meters} lr {trainer.get_current_lr():.4e} eta {eta}"
        )


def step_summary(
    loss: Tensor, terms: dict[str, Tensor], logits: Tensor, labels: Tensor
) -> dict[str, Tensor]:
    """What the log shows of a step; single terms only where there are several."""
    hits = (logits.detach().argmax(dim=-1) == labels).float().mean() * 100
    single = {name: term.detach() for name, term in terms.items()} if len(terms) > 1 else {}
    return {"loss": loss.detach(), "acc": hits, **single}
