"""One vector per class from the training images, for heads that start there."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from npt_plugin.engine.framework import build_transform
from npt_plugin.heads.initial import class_mean_rows
from npt_plugin.system.progress import progress
from npt_plugin.system.random_state import rng_state, set_rng_state


@torch.no_grad()
def class_means(trainer: Any) -> Tensor:
    """Direction of each class's mean feature, (K, D), on the trainer's device.

    Training images without augmentation, through the model as it is. Random states are left as
    they were.

    Args:
        trainer: A built ``HeadTrainer``.
    """
    state, cfg, model = rng_state(), trainer.cfg, trainer.model
    transform = build_transform(cfg, is_train=False)
    wrapper = type(trainer.test_loader.dataset)
    images = wrapper(cfg, trainer.dm.dataset.train_x, transform=transform, is_train=False)
    loader = DataLoader(
        images, cfg.DATALOADER.TEST.BATCH_SIZE, num_workers=cfg.DATALOADER.NUM_WORKERS
    )
    trainer.set_model_mode("eval")
    features, labels = [], []
    with trainer.precision.context(trainer.device):
        for batch in progress(loader, desc="class means", leave=False):
            picture, label = trainer.parse_batch_test(batch)
            features.append(model.image_features(picture).float())  # (B, D)
            labels.append(label)
    set_rng_state(state)
    return class_mean_rows(torch.cat(features), torch.cat(labels), len(trainer.classnames))
