"""Trainers as a host writes them, around the reference models: they return what hosts return."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from reference_models import build_reference

from npt_plugin.backbone.loading import load_clip
from npt_plugin.engine.framework import TrainerX, build_lr_scheduler, build_optimizer


class ReferenceTrainer(TrainerX):
    """One step of SGD on the cross-entropy; ``scaler`` as a host has it under AMP."""

    method = "CoOp"

    def build_model(self) -> None:
        cfg = self.cfg
        clip_model = load_clip(cfg.MODEL.BACKBONE.NAME).float().model
        names = list(self.dm.dataset.classnames)
        self.model = build_reference(self.method, cfg, names, clip_model)
        self.optim = build_optimizer(self.model.prompt_learner, cfg.OPTIM)
        self.sched = build_lr_scheduler(self.optim, cfg.OPTIM)
        self.register_model("prompt_learner", self.model.prompt_learner, self.optim, self.sched)
        self.scaler = None

    def parse_batch_train(self, batch):
        return batch["img"].to(self.device), batch["label"].to(self.device)

    def loss(self, images, labels):
        return F.cross_entropy(self.model(images), labels)

    def forward_backward(self, batch):
        images, labels = self.parse_batch_train(batch)
        loss = self.loss(images, labels)
        self.optim.zero_grad()
        if self.scaler is None:
            loss.backward()
            self.optim.step()
        else:
            self.scaler.scale(loss).backward()
            self.scaler.step(self.optim)
            self.scaler.update()
        return {"loss": loss.item()}


class HostCoOp(ReferenceTrainer):
    method = "CoOp"


class HostCoCoOp(ReferenceTrainer):
    method = "CoCoOp"


class HostMaPLe(ReferenceTrainer):
    method = "MaPLe"


class HostTuple(HostMaPLe):
    """Consistency with a frozen copy of the same encoders, and a model that returns a tuple."""

    def loss(self, images, labels):
        image, text = self.model.features(images)
        with torch.no_grad():
            teacher = self.model.image_encoder(images)
            self.model.text_encoder(
                self.model.prompt_learner.prompts(0 * self.model.prompt_learner.ctx),
                self.model.prompt_learner.eot,
            )
        logits = self.model.scale * image @ text.T
        return F.cross_entropy(logits, labels) + F.l1_loss(image, teacher)


HOSTS = {c.__name__: c for c in (HostCoOp, HostCoCoOp, HostMaPLe, HostTuple)}


def labelled_batch(trainer, size: int = 4, seed: int = 0) -> dict:
    """Random images with labels of several classes, one of them twice."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 3, (size,), generator=generator)
    return {"img": torch.randn(size, 3, 32, 32, generator=generator), "label": labels}
