"""A run from a config: data, model, checkpoints, final test; the training epoch is left open."""

from __future__ import annotations

import datetime
import math
import os
import time
from collections.abc import Callable
from typing import ClassVar

import torch
from yacs.config import CfgNode

from minidassl.data import DataManager
from minidassl.engine.tester import Tester
from minidassl.evaluation import build_evaluator
from minidassl.utils import mkdir_if_missing

_FROM_MANAGER = (
    "train_loader_x",
    "train_loader_u",
    "val_loader",
    "test_loader",
    "num_classes",
    "num_source_domains",
    "lab2cname",
)


class SimpleTrainer(Tester):
    """A trainer set up from a config: data, model, evaluator.

    Args:
        cfg: The config tree.

    Attributes:
        on_build: Of the class, called with each trainer and its config before anything is built.
    """

    on_build: ClassVar[list[Callable[[SimpleTrainer, CfgNode], None]]] = []

    def __init__(self, cfg: CfgNode) -> None:
        for notice in self.on_build:
            notice(self, cfg)
        super().__init__()
        self.check_cfg(cfg)
        self.cfg = cfg
        cuda = cfg.USE_CUDA and torch.cuda.is_available()
        self.device = torch.device("cuda" if cuda else "cpu")
        self.best_result = -math.inf
        self.epoch = self.start_epoch = 0
        self.max_epoch, self.output_dir = cfg.OPTIM.MAX_EPOCH, cfg.OUTPUT_DIR
        # data before model before evaluator: each may use what the one before has set
        self.build_data_loader()
        self.build_model()
        names = self.lab2cname
        self.evaluator = build_evaluator(cfg, lab2cname=names)

    def check_cfg(self, cfg: CfgNode) -> None:
        """Refuse settings the trainer cannot work with; does nothing here.

        Args:
            cfg: The config tree.
        """

    def build_data_loader(self) -> None:
        """Set the loaders, ``num_classes``, ``num_source_domains``, ``lab2cname`` and ``dm``."""
        self.dm = DataManager(self.cfg)
        for name in _FROM_MANAGER:
            setattr(self, name, getattr(self.dm, name))

    def build_model(self) -> None:
        """Make and register the model; there is none by default."""
        raise NotImplementedError(f"{type(self).__name__} has no build_model of its own")

    def train(self) -> None:
        """Train from ``start_epoch`` to ``max_epoch``, then test."""
        super().train(self.start_epoch, self.max_epoch)

    def before_train(self) -> None:
        """Resume from a checkpoint if there is one, and start TensorBoard and the clock."""
        self.start_epoch = self.resume_model_if_exist(self.cfg.RESUME or self.cfg.OUTPUT_DIR)
        events = os.path.join(self.output_dir, "tensorboard")
        mkdir_if_missing(events)
        self.init_writer(events)
        self.time_start = time.time()

    def after_train(self) -> None:
        """Test the last or the best model, and print the elapsed time."""
        print("Finish training")
        if not self.cfg.TEST.NO_TEST:
            self._deploy()
            self.test()
        elapsed = datetime.timedelta(seconds=round(time.time() - self.time_start))
        print(f"Elapsed: {elapsed}")
        self.close_writer()

    def _deploy(self) -> None:
        """Put the weights to be tested into the model."""
        if self._keeps_best:
            print("Deploy the model with the best val performance")
            self.load_model(self.output_dir)
        else:
            print("Deploy the last-epoch model")

    @property
    def _keeps_best(self) -> bool:
        return self.cfg.TEST.FINAL_MODEL == "best_val"

    def after_epoch(self) -> None:
        """Keep the best model on validation data if asked to, and write due checkpoints."""
        if self._keeps_best and not self.cfg.TEST.NO_TEST:
            self._keep_if_best(self.test(split="val"))
        done, every = self.epoch + 1, self.cfg.TRAIN.CHECKPOINT_FREQ
        if done == self.max_epoch or (every > 0 and done % every == 0):
            self.save_model(self.epoch, self.output_dir)

    def _keep_if_best(self, result: float) -> None:
        if result > self.best_result:
            self.best_result = result
            name = "model-best.pth.tar"
            self.save_model(self.epoch, self.output_dir, val_result=result, model_name=name)
