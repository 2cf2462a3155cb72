"""The epochs around the step: schedules, log, checkpoints, and ends between two steps."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

from npt_plugin.datasets.choice_record import CHOICE_FILE
from npt_plugin.datasets.class_counts import by_frequency
from npt_plugin.engine.distributed import largest
from npt_plugin.engine.framework import TrainerX
from npt_plugin.errors import UserError
from npt_plugin.losses.registry import WITH_MARGINS
from npt_plugin.runs.curves import open_curves
from npt_plugin.system import ranks
from npt_plugin.system.files import write_json
from npt_plugin.system.signals import stop_here, whole_steps
from npt_plugin.trainers import checkpoints
from npt_plugin.trainers.divergence import divergence
from npt_plugin.trainers.epoch import EpochLog
from npt_plugin.trainers.epoch_average import EpochAverage
from npt_plugin.trainers.evaluate import collapse_now
from npt_plugin.trainers.progress_file import ProgressFile
from npt_plugin.trainers.several import agree, same_draws


class EpochLoop(TrainerX):
    """Dassl's loop over epochs, in its order and with its log lines; a step is the trainer's.

    Attributes:
        history: What each epoch so far gave.
        log: Of the epoch that goes on.
        progress_file: From which an interrupted run goes on; None before the first epoch has ended.
        epoch_average: As ``TRAIN.AVERAGE`` asks; None: what the last epoch learns counts.
        stack: Runs whose prompts pass the text tower together with this one's, itself included.
        most_stacked: The most of them in any epoch so far.
        time_share: Part of the time of an epoch that was spent on this run.
    """

    cfg: Any
    history: list[dict[str, Any]]
    log: EpochLog
    progress_file: ProgressFile | None = None
    epoch_average: EpochAverage | None = None
    classnames: list[str]
    stack = most_stacked = 1
    time_share = 1.0

    def init_writer(self, log_dir: str) -> None:
        """Open what ``TRAIN.LOG`` names, in the process that writes."""
        self._writer = open_curves(self, log_dir, super().init_writer)

    def before_train(self) -> None:
        """Resume if a run was interrupted; open TensorBoard."""
        if self.classification_loss is None:
            empty = int((self.class_counts == 0).nonzero()[0])
            raise UserError(
                f"{self.cfg.DATASET.NAME}: class {empty} ({self.classnames[empty]}) has no "
                "training image, so nothing can be trained on it; use --eval-only, or more shots."
            )
        print(by_frequency(self.dm.dataset))
        super().before_train()
        agree(self)
        record = self._choice()
        if record and self.output_dir and ranks.writes():  # which images, of which split and seed
            write_json(Path(self.output_dir) / CHOICE_FILE, record)

    def _choice(self) -> dict[str, Any] | None:
        """The record of the chosen images; a host's own dataset class keeps none."""
        return getattr(self.dm.dataset, "record", None)

    def before_epoch(self) -> None:
        """Tell everything that follows a schedule which epoch it is."""
        for part in (self.classification_loss, self.objective, self.train_loader_x, self.optim):
            if hasattr(part, "set_epoch"):
                part.set_epoch(self.epoch)

    def run_epoch(self) -> None:
        """One pass over the loader, in Dassl's order and with Dassl's log lines."""
        with closing(self.batches()) as batches:
            for batch in batches:
                self.log.step_done(self.forward_backward(batch))

    def batches(self) -> Generator[dict[str, Any], None, None]:
        """An epoch but for its steps, which whoever asks for the batches takes and logs."""
        self.set_model_mode("train")
        self.num_batches = len(self.train_loader_x)
        started = time.time()
        self.log = EpochLog(self)
        with whole_steps():
            for step, batch in enumerate(self.train_loader_x):
                self.batch_idx = step
                self.log.data_ready()
                yield batch
                stop_here(largest)
        self.log.flush()
        self.history.append({"epoch": self.epoch + 1, **self.log.averages()})
        found = self.divergence()
        if found and found[0] == self.epoch + 1:  # once
            print(f"Training diverges: {found[1]}; lower OPTIM.LR (it is {self.cfg.OPTIM.LR}).")
        self.update_lr()
        self.most_stacked = max(self.most_stacked, self.stack)
        self.train_seconds += (time.time() - started) * self.time_share

    def divergence(self) -> tuple[int, str] | None:
        """First epoch whose loss says that training diverges, and how; None: none so far."""
        margins = self.cfg.TRAINER.IMBALANCE_LOSS.NAME in WITH_MARGINS
        return divergence(self.history, len(self.classnames), margins)

    def after_epoch(self) -> None:
        """Dassl's checkpoints; and everything needed to go on from here, every epoch."""
        if self.epoch_average is not None:
            self.epoch_average.epoch_done(self.epoch, self.model.learned())
        super().after_epoch()
        every = self.cfg.TEST.NC_PER_EPOCH
        if every > 0 and (self.epoch + 1) % every == 0:
            self.history[-1]["nc"] = collapse_now(self)
        same_draws()
        if self.output_dir:
            checkpoints.save_progress(self)
        stop_here(largest)
