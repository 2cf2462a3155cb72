"""Trainers that learn from a teacher: of their own kind, and students without a text encoder."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from reference_models import unit
from reference_trainers import HostMaPLe


class Taught(HostMaPLe):
    """No labels in its loss; the teacher is a model beside it, with both encoders."""

    def build_model(self):
        super().build_model()
        self.teacher = copy.deepcopy(self.model)
        with torch.no_grad():
            for parameter in self.teacher.prompt_learner.parameters():
                parameter.add_(0.1)

    def loss(self, images, labels):
        with torch.no_grad():
            wanted = self.teacher(images).softmax(dim=-1)
        return F.kl_div(self.model(images).log_softmax(dim=-1), wanted, reduction="batchmean")


class Student(Taught):
    """Its classes are the teacher's text features: the model it trains encodes images alone."""

    def build_model(self):
        super().build_model()
        del self.model.text_encoder

    def loss(self, images, labels):
        learner = self.model.prompt_learner
        image = unit(self.model.image_encoder(images, learner.proj(learner.ctx), []))
        with torch.no_grad():
            known, text = self.teacher.features(images)
            wanted = (known @ text.T).softmax(dim=-1)
        return F.kl_div((image @ text.T).log_softmax(dim=-1), wanted, reduction="batchmean")
