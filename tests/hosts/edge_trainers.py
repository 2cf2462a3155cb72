"""Trainers that do what public ones do at the edges: own batches, views, contrast, two passes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from reference_models import ReferenceCoOp
from reference_trainers import HostCoOp
from torch import nn
from torch.utils.data import DataLoader


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


class Expanding(HostCoOp):
    """Adds rows to the batch in a method of its own, and contrasts them with one another.

    The targets of its loss count rows; the classes are in what ``enlarge`` returns.
    """

    extra = (2, 0)

    def enlarge(self, batch):
        images, labels = batch["img"], batch["label"]
        rows = torch.cat([images[:1].flip(-1), images[:1] / 2, images])
        return rows, torch.cat([torch.tensor(self.extra), labels])

    def step_data(self, batch):
        return self.enlarge(batch)

    def contrast(self, images, labels):
        image, text = self.model.features(images)
        scores = self.model.scale * image @ text[labels].T  # (N, N)
        rows = torch.arange(len(labels))
        return (F.cross_entropy(scores, rows) + F.cross_entropy(scores.T, rows)) / 2

    loss = contrast

    def forward_backward(self, batch):
        loss = self.loss(*self.step_data(batch))
        self.model_backward_and_update(loss)
        return {"loss": loss.item()}


class Hidden(Expanding):
    """The same, but no method of it returns the labels."""

    def enlarge(self, batch):
        self.rows, self.classes = super().enlarge(batch)

    def forward_backward(self, batch):
        self.enlarge(batch)
        loss = self.loss(self.rows, self.classes)
        self.model_backward_and_update(loss)
        return {"loss": loss.item()}


class Told(Hidden):
    """The same, and it says them."""

    def npt_labels(self, batch):
        return self.classes


class Shuffling(HostCoOp):
    """Reorders a batch where nobody can see it; its loss is what knows the labels."""

    def order(self, size):
        return torch.arange(size).roll(1)

    def forward_backward(self, batch):
        order = self.order(len(batch["label"]))
        loss = nn.CrossEntropyLoss()(self.model(batch["img"][order]), batch["label"][order])
        self.model_backward_and_update(loss)
        return {"loss": loss.item()}


class Views(HostCoOp):
    """Two views that its parse returns, one loss on the first, a consistency on both."""

    def parse_batch_train(self, batch):
        return batch["img"], batch["img"].flip(-1), batch["label"]

    def forward_backward(self, batch):
        first, second, labels = self.parse_batch_train(batch)
        logits = self.model(first)
        loss = F.cross_entropy(logits, labels) + F.mse_loss(self.model(second), logits)
        self.model_backward_and_update(loss)
        return {"loss": loss.item()}


class SecretViews(Views):
    """Its second view is made on the way: nothing says whose labels it has."""

    def parse_batch_train(self, batch):
        return batch["img"], batch["label"]

    def forward_backward(self, batch):
        images, labels = self.parse_batch_train(batch)
        logits = self.model(images)
        loss = F.cross_entropy(logits, labels) + F.mse_loss(self.model(images.flip(-1)), logits)
        self.model_backward_and_update(loss)
        return {"loss": loss.item()}


class Mixing(HostCoOp):
    """Mixes images and their labels: no row has one label."""

    def forward_backward(self, batch):
        images, labels = self.parse_batch_train(batch)
        other = labels.roll(1)
        logits = self.model(0.7 * images + 0.3 * images.roll(1, 0))
        loss = 0.7 * F.cross_entropy(logits, labels) + 0.3 * F.cross_entropy(logits, other)
        self.model_backward_and_update(loss)
        return {"loss": loss.item()}


class Distilling(HostCoOp):
    """No classification loss at all; the batch is parsed as usual."""

    def loss(self, images, labels):
        teacher = torch.linspace(0, 1, len(labels) * 3).view(len(labels), 3).softmax(dim=-1)
        return F.kl_div(self.model(images).log_softmax(dim=-1), teacher, reduction="batchmean")


class Projecting(HostCoOp):
    """Two backward passes over one graph: a direction first, then the loss, made to agree."""

    def forward_backward(self, batch):
        images, labels = self.parse_batch_train(batch)
        logits = self.model(images)
        (parameter,) = self.model.prompt_learner.parameters()
        self.optim.zero_grad()
        guide, loss = -(logits.log_softmax(dim=-1).mean()), F.cross_entropy(logits, labels)
        guide.backward(retain_graph=True)
        self.direction = parameter.grad.clone()
        self.optim.zero_grad()
        loss.backward()
        self.descent = parameter.grad.clone()
        return {"loss": loss.item()}


class NameBranching(HostCoOp):
    """Does something else unless its config calls it by its own name, in data and in the step."""

    def _asked_for(self):
        return self.cfg.TRAINER.NAME == "NameBranching"

    def build_data_loader(self):
        assert self._asked_for(), "other data"
        super().build_data_loader()

    def check_cfg(self, cfg):
        super().check_cfg(cfg)
        assert cfg.TRAINER.NAME == "NameBranching"

    def loss(self, images, labels):
        return super().loss(images, labels) * (1 if self._asked_for() else 2)


class AdaptedModel(ReferenceCoOp):
    """What classifies is not what the encoders return."""

    def features(self, images):
        image, text = super().features(images)
        for_image, for_text = self.prompt_learner.adapters
        return unit(image + for_image(image)), unit(text * for_text(text))


class Adapted(HostCoOp):
    """An adapter after the image encoder, a modulation after the text encoder."""

    def build_model(self):
        super().build_model()
        width = self.model.text_encoder.clip[0].text_projection.shape[1]
        self.model.__class__ = AdaptedModel
        self.model.prompt_learner.adapters = nn.ModuleList(
            nn.Linear(width, width) for _ in range(2)
        )
        self.optim.add_param_group({"params": self.model.prompt_learner.adapters.parameters()})


class AdaptedLinear(Adapted):
    """Written as a linear layer, with a temperature, under names of its own."""

    def build_model(self):
        super().build_model()
        self.model.visual = self.model.__dict__["_modules"].pop("image_encoder")
        self.model.__class__ = RenamedModel

    def loss(self, images, labels):
        image, text = self.model.features(images)
        return F.cross_entropy(self.model.scale * F.linear(image, text) / 2, labels)


class RenamedModel(AdaptedModel):
    @property
    def image_encoder(self):
        return self.visual


class TwoHeads(HostCoOp):
    """Class scores that are a mean of two products."""

    def loss(self, images, labels):
        image, text = self.model.features(images)
        return F.cross_entropy(image @ text.T + image @ (2 * text).T, labels)


class Reordered(HostCoOp):
    """Takes rows of its scores: which product's rows they are is not certain."""

    def loss(self, images, labels):
        order = torch.arange(len(labels)).roll(1)
        return F.cross_entropy(self.model(images)[order], labels[order])


class MixedTargets(HostCoOp):
    """One product, two targets."""

    def loss(self, images, labels):
        scores = self.model(images)
        other = (labels + 1) % 3
        return F.cross_entropy(scores, labels) + F.cross_entropy(scores, other)


class ForeignLoading(HostCoOp):
    """Loads by itself: a sampler that nobody knows, keys of its own, a weight for each image."""

    def build_data_loader(self):
        super().build_data_loader()
        data = self.train_loader_x.dataset
        backwards = range(len(data) - 1, -1, -1)
        loader = DataLoader(data, batch_size=4, sampler=backwards)
        self.train_loader_x = [
            {
                "pixels": batch["img"],
                "class": batch["label"],
                "weight": torch.linspace(1, 2, len(batch["label"])),
            }
            for batch in loader
        ]

    def loss(self, images, labels):
        each = F.cross_entropy(self.model(images), labels, reduction="none")
        return (each * self.weight).mean()

    def forward_backward(self, batch):
        self.weight = batch["weight"]
        loss = self.loss(batch["pixels"], batch["class"])
        self.model_backward_and_update(loss)
        return {"loss": loss.item()}
