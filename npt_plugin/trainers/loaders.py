"""The training loader: a fixed number of steps, and cached image features."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from npt_plugin.engine.distributed import joined
from npt_plugin.errors import UserError
from npt_plugin.runs.shared_features import shared_views
from npt_plugin.system import ranks, shared
from npt_plugin.system.progress import progress
from npt_plugin.system.random_state import rng_state, set_rng_state
from npt_plugin.trainers.model import PromptedCLIP
from npt_plugin.trainers.shares import ShareLoader

_DECODED = 2**28
"""Bytes of decoded images kept while their views are encoded; those that do not fit are read again
for each view."""


def prepare_train_loader(trainer: Any) -> Any:
    """Dassl's training loader, wrapped as ``INPUT.CACHED_VIEWS`` and ``TRAIN.STEPS`` say."""
    loader, cfg = trainer.train_loader_x, trainer.cfg
    if cfg.INPUT.CACHED_VIEWS > 0:
        loader = FeatureCacheLoader(loader, trainer.model, cfg.INPUT.CACHED_VIEWS, trainer.device)
    if not ranks.alone():
        loader = ShareLoader(loader)
    if cfg.TRAIN.STEPS:
        steps = cfg.TRAIN.STEPS if cfg.TRAIN.STEPS > 0 else balanced_steps(trainer)
        loader = FixedStepsLoader(loader, steps, cfg.OPTIM.MAX_EPOCH)
    return loader


def balanced_steps(trainer: Any) -> int:
    """Steps that ``OPTIM.MAX_EPOCH`` epochs take on the same shots without imbalance.

    What ``TRAIN.STEPS -1`` asks for. As in Dassl an epoch leaves out its last, incomplete batch.

    Raises:
        UserError: If the dataset does not know how many images it had before the imbalance.
    """
    dataset, batch = trainer.dm.dataset, trainer.cfg.DATALOADER.TRAIN_X.BATCH_SIZE
    images = getattr(dataset, "balanced_images", None)
    if images is None:
        raise UserError(
            "TRAIN.STEPS is -1, the steps of the balanced set, but the dataset "
            f"{type(dataset).__name__} does not say how large that is: give a number of steps."
        )
    return int(max(images // batch, 1) * trainer.cfg.OPTIM.MAX_EPOCH)


class FixedStepsLoader:
    """Spreads a fixed number of optimiser steps over the epochs, reshuffling as often as needed.

    An imbalanced set has fewer images and so fewer batches an epoch than the balanced one; with
    the same ``TRAIN.STEPS`` both take the same steps at the same learning rates.

    Args:
        loader: Any loader; each ``iter`` of it is one shuffled pass.
        steps: Steps over the whole run.
        epochs: ``OPTIM.MAX_EPOCH``; the learning rate changes at its epochs.
    """

    def __init__(self, loader: Any, steps: int, epochs: int) -> None:
        if steps < epochs:
            raise UserError(
                f"TRAIN.STEPS is {steps}, fewer than OPTIM.MAX_EPOCH {epochs}: an epoch would have "
                "no step; raise the steps or lower the epochs."
            )
        self.loader, self.steps, self.epochs = loader, steps, epochs
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Which epoch comes next; the steps may not divide evenly."""
        self.epoch = epoch
        if hasattr(self.loader, "set_epoch"):
            self.loader.set_epoch(epoch)

    def __len__(self) -> int:
        done = self.epoch * self.steps // self.epochs
        return (self.epoch + 1) * self.steps // self.epochs - done

    def __iter__(self) -> Iterator[dict[str, Any]]:
        left = len(self)
        while left:
            for batch in self.loader:
                yield batch
                left -= 1
                if not left:
                    return


class FeatureCacheLoader:
    """Batches of pre-computed image features: V augmented views of each training image.

    The image tower is frozen, so the features of a view never change. Each image draws one of its
    views at random in every batch. Order and batch composition are the sampler's, as without it.
    Views are encoded at the first batch, so an evaluation encodes none; their augmentation is drawn
    from the random state the loader was made in, so a resumed run has the same views.

    Args:
        loader: Dassl's training loader; its dataset augments, its sampler picks.
        model: Encodes the views.
        views: V, augmented views per image.
        device: Where features are kept.

    Raises:
        UserError: If the method learns the image side (its features change every step).
    """

    def __init__(
        self, loader: DataLoader, model: PromptedCLIP, views: int, device: torch.device
    ) -> None:
        if model.learns_image_side:
            raise UserError(
                f"INPUT.CACHED_VIEWS is {views}, but this trainer learns the image side, so its "
                "features cannot be cached: set it to 0."
            )
        self.loader, self.views, self.device = loader, views, device
        self.model, self.random_state, self.epoch = model, rng_state(), 0

    @property
    def features(self) -> Tensor:
        """(N, V, D), the views of every training image."""
        return self._encoded[0]

    @cached_property
    def _encoded(self) -> tuple[Tensor, Tensor, list[str]]:
        """Features (N, V, D), labels (N,) and paths; leaves mode and random state as they were."""
        now, training = rng_state(), self.model.training
        set_rng_state(self.random_state)
        self.model.eval()
        common = shared.current()
        found = shared_views(common, self, self._encode) if common else self._encode()
        self.model.train(training)
        set_rng_state(now)
        dataset: Any = self.loader.dataset  # Dassl's DatasetWrapper
        impaths = [item.impath for item in dataset.data_source]
        return found["features"].to(self.device), found["labels"].to(self.device), impaths

    @torch.no_grad()
    def _encode(self) -> dict[str, Tensor]:
        plain = DataLoader(self.loader.dataset, self.loader.batch_size or 32, shuffle=False)
        passes, labels = [], []
        bar = progress(total=self.views * len(plain), desc="caching image features", leave=False)
        images = getattr(self.loader.dataset, "images", None)  # decoded once for all views
        with images.within(_DECODED) if images is not None else nullcontext():
            for view in range(self.views):
                self._tell_loader(view)  # augmentation by (seed, epoch, image) differs by view
                rows = []
                for batch in plain:
                    own = batch["img"][ranks.share(len(batch["img"]))].to(self.device)
                    seen = self.model.image_features(own)
                    rows.append(joined(seen, ranks.shares(len(batch["img"]))))
                    if view == 0:
                        labels.append(batch["label"])
                    bar.update()
                passes.append(torch.cat(rows))
        bar.close()
        self._tell_loader(self.epoch)
        return {"features": torch.stack(passes, dim=1), "labels": torch.cat(labels)}  # (N, V, D)

    def set_epoch(self, epoch: int) -> None:
        """Pass the epoch on to a loader whose sampler or augmentation follows one."""
        self.epoch = epoch
        self._tell_loader(epoch)

    def _tell_loader(self, epoch: int) -> None:
        if hasattr(self.loader, "set_epoch"):
            self.loader.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        features, labels, impaths = self._encoded
        batches: Any = self.loader.batch_sampler
        for indices in batches:
            rows = torch.tensor(indices)
            picks = torch.randint(self.views, (len(rows),))  # the global generator: resumable
            rows, picks = rows.to(self.device), picks.to(self.device)
            yield {
                "features": features[rows, picks],  # (B, D)
                "label": labels[rows],
                "impath": [impaths[i] for i in indices],
            }
