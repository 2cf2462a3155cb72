"""Data, device, checkpoints and testing: what trainers share but for the training epoch."""

from __future__ import annotations

import datetime
import math
import os
import time
from typing import Any

import torch
from torch import nn
from tqdm import tqdm
from yacs.config import CfgNode

from minidassl.data import DataManager
from minidassl.engine.simple_net import SimpleNet
from minidassl.engine.trainer_base import TrainerBase
from minidassl.evaluation import build_evaluator
from minidassl.optim import build_lr_scheduler, build_optimizer
from minidassl.utils import count_num_param, load_pretrained_weights, mkdir_if_missing


class SimpleTrainer(TrainerBase):
    """A trainer set up from a config: data, model, evaluator.

    Args:
        cfg: the config tree.
    """

    def __init__(self, cfg: CfgNode) -> None:
        super().__init__()
        self.check_cfg(cfg)
        self.cfg = cfg
        use_cuda = cfg.USE_CUDA and torch.cuda.is_available()
        self.device = torch.device("cuda" if use_cuda else "cpu")
        self.start_epoch = self.epoch = 0
        self.max_epoch = cfg.OPTIM.MAX_EPOCH
        self.output_dir = cfg.OUTPUT_DIR
        self.best_result = -math.inf
        self.build_data_loader()
        self.build_model()
        self.evaluator = build_evaluator(cfg, lab2cname=self.lab2cname)

    def check_cfg(self, cfg: CfgNode) -> None:
        """Refuse settings the trainer cannot work with; does nothing here.

        Args:
            cfg: the config tree.
        """

    def build_data_loader(self) -> None:
        """Set the loaders, ``num_classes``, ``num_source_domains``, ``lab2cname`` and ``dm``."""
        self.dm = manager = DataManager(self.cfg)
        for name in (
            "train_loader_x",
            "train_loader_u",
            "val_loader",
            "test_loader",
            "num_classes",
            "num_source_domains",
            "lab2cname",
        ):
            setattr(self, name, getattr(manager, name))

    def build_model(self) -> None:
        """Make and register the model; here a ``SimpleNet`` of what ``MODEL`` names."""
        cfg = self.cfg
        print("Building model")
        self.model = SimpleNet(cfg, cfg.MODEL, self.num_classes)
        if cfg.MODEL.INIT_WEIGHTS:
            load_pretrained_weights(self.model, cfg.MODEL.INIT_WEIGHTS)
        self.model.to(self.device)
        print(f"# params: {count_num_param(self.model):,}")
        self.optim = build_optimizer(self.model, cfg.OPTIM)
        self.sched = build_lr_scheduler(self.optim, cfg.OPTIM)
        self.register_model("model", self.model, self.optim, self.sched)
        gpus = torch.cuda.device_count()
        if gpus > 1:
            print(f"Detected {gpus} GPUs (use nn.DataParallel)")
            self.model = nn.DataParallel(self.model)

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
            if self.cfg.TEST.FINAL_MODEL == "best_val":
                print("Deploy the model with the best val performance")
                self.load_model(self.output_dir)
            else:
                print("Deploy the last-epoch model")
            self.test()
        seconds = round(time.time() - self.time_start)
        print(f"Elapsed: {datetime.timedelta(seconds=seconds)}")
        self.close_writer()

    def after_epoch(self) -> None:
        """Keep the best model on validation data if asked to, and write due checkpoints."""
        test_cfg, every = self.cfg.TEST, self.cfg.TRAIN.CHECKPOINT_FREQ
        done = self.epoch + 1
        if test_cfg.FINAL_MODEL == "best_val" and not test_cfg.NO_TEST:
            self._keep_if_best(self.test(split="val"))
        if done == self.max_epoch or (every > 0 and done % every == 0):
            self.save_model(self.epoch, self.output_dir)

    def _keep_if_best(self, result: float) -> None:
        if result > self.best_result:
            self.best_result = result
            self.save_model(
                self.epoch,
                self.output_dir,
                val_result=result,
                model_name="model-best.pth.tar",
            )

    @torch.no_grad()
    def test(self, split: str | None = None) -> float:
        """Evaluate on a split and print the result.

        Args:
            split: val or test; ``TEST.SPLIT`` when None. Without validation data, test.

        Returns:
            The evaluator's first metric.
        """
        self.set_model_mode("eval")
        self.evaluator.reset()
        split = split or self.cfg.TEST.SPLIT
        if split == "val" and self.val_loader is not None:
            loader = self.val_loader
        else:
            split, loader = "test", self.test_loader
        print(f"Evaluate on the *{split}* set")
        for batch in tqdm(loader):
            images, labels = self.parse_batch_test(batch)
            self.evaluator.process(self.model_inference(images), labels)
        results = self.evaluator.evaluate()
        for name, value in results.items():
            self.write_scalar(f"{split}/{name}", value, self.epoch)
        return next(iter(results.values()))

    def model_inference(self, input: torch.Tensor) -> torch.Tensor:
        """Compute the scores of a batch.

        Args:
            input: images (B, 3, H, W).

        Returns:
            Scores (B, K).
        """
        return self.model(input)

    def parse_batch_test(self, batch: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Move images and labels to the device.

        Args:
            batch: from the loader.

        Returns:
            Images (B, 3, H, W), labels (B,).
        """
        return batch["img"].to(self.device), batch["label"].to(self.device)
