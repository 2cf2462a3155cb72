"""Candle: prototypes of trained and new names on frozen features, and a loss that knows both."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.outputs import PromptOutputs, normalize
from npt_plugin.engine.distributed import gathered
from npt_plugin.errors import UserError
from npt_plugin.heads.prototypes import PrototypeHead
from npt_plugin.losses.adjustment import LogitAdjustedLoss
from npt_plugin.system import ranks
from npt_plugin.system.options import in_range, one_of
from npt_plugin.trainers.base import Batch, PromptTrainer
from npt_plugin.trainers.feature_means import class_means
from npt_plugin.trainers.model import PromptedCLIP
from npt_plugin.trainers.named_text import NamedText
from npt_plugin.trainers.zeroshot import template_of

_NODE = "TRAINER.CANDLE"
_NAMES = "class_names"
"""Checkpoint key: the K names as UTF-8 JSON; public checkpoints have none."""
_BUFFERS = ("text_features", "visual_prototypes")
STARTS = ("text", "visual")
"""Values of ``TRAINER.CANDLE.VIRTUAL_INIT``."""
_ALIKE = 0.999
"""Cosine from which two text features are of one name; halves round less, other names are below."""
_SPREAD = 0.05


class CandleCLIP(PromptedCLIP):
    """Frozen CLIP with a head of prototypes over all names; its own classes are some of these.

    Attributes:
        names: The K names the head knows, those trained on first.
        head: See :class:`~npt_plugin.heads.prototypes.PrototypeHead`.
    """

    prec_node = "CANDLE"
    other_nodes = ("ZSCLIP",)
    checkpoint_name = "proto_manager"
    feature_kind = "not normalised, projected"
    features_are_clips = False

    def __init__(self, cfg: Any, classnames: Sequence[str], clip_model: Backbone) -> None:
        super().__init__(cfg, classnames, clip_model)
        self.classnames, self.node = list(classnames), cfg.TRAINER.CANDLE
        self.template = template_of(cfg)
        self.names = list(classnames)
        self._make_head(self._text_of(clip_model, self.names), len(self.names))

    def know(self, others: Sequence[str], clip_model: Backbone) -> None:
        """Add names without training images to the head, which starts anew."""
        trained = len(self.names)
        self.names = [*self.names, *others]
        self._make_head(self._text_of(clip_model, self.names), trained)

    @torch.no_grad()
    def _text_of(self, clip_model: Backbone, names: Sequence[str]) -> Tensor:
        """Text features (K, D) as the tower gives them."""
        return NamedText(clip_model, names, self.template).features(self.text_encoder)

    def _make_head(self, text: Tensor, trained: int) -> None:
        spread = None if self.node.VIRTUAL_INIT == "text" else _SPREAD
        scale = float(self.logit_scale.detach().exp())
        head = PrototypeHead(text, trained, scale, self.node.SCALE, spread)
        self.head = head.to(text.device)

    @property
    def columns(self) -> list[int]:
        """Places of this model's classes among the head's names."""
        place = {name: number for number, name in enumerate(self.names)}
        return [place[name] for name in self.classnames]

    def image_features(self, images: Tensor) -> Tensor:
        """Features (B, D) of images (B, 3, H, W) as the tower gives them."""
        return self.tower_features(images)

    def classify(self, features: Tensor, text: Tensor | None = None) -> PromptOutputs:
        """Enriched text and prototypes together, of this model's classes.

        Args:
            features: (B, D), of any norm.
            text: What ``text_features`` gave; None: compute it. The logits do not depend on it.
        """
        together = self.training or self.node.TEST_TOGETHER
        _, by_text, by_prototypes = self.head(features, together=together)
        return self.outputs(by_text + by_prototypes, features, text)

    def outputs(self, logits: Tensor, features: Tensor, text: Tensor | None) -> PromptOutputs:
        """Logits (B, K) of all names as those of this model's classes, with the features."""
        rows = self.text_features() if text is None else text
        return PromptOutputs(logits[:, self.columns], normalize(features.float()), rows)

    def text_features(self) -> Tensor:
        """Projected texts of this model's classes as unit rows for image features."""
        return self.head.rows()[self.columns]

    def export_obstacle(self) -> str:
        """Two classifiers and an attention are more than one feature per class."""
        return "its logits are of two classifiers behind an attention"

    def checkpoint_state(self) -> dict[str, Tensor]:
        """What is learned, what it was learned beside, and all names."""
        names = torch.tensor(list(json.dumps(self.names).encode()), dtype=torch.uint8)
        kept = {name: getattr(self.head, name).detach().clone() for name in _BUFFERS}
        return {**super().checkpoint_state(), **kept, _NAMES: names}

    def load_checkpoint_state(self, state: Mapping[str, Tensor], source: str) -> list[str]:
        """Take over a checkpoint's names and prototypes, and what was learned.

        Raises:
            UserError: As in the base; and if one of this model's classes was not known to it.
        """
        absent = [name for name in _BUFFERS if name not in state]
        if absent:
            raise UserError(f"{source} has no {absent[0]!r}: it was not saved by Candle.")
        text, prototypes = (state[name] for name in _BUFFERS)
        names = self._names_in(state)
        unknown = [name for name in self.classnames if name not in names]
        if unknown:
            raise UserError(
                f"{source} was trained with {len(text)} names, and {unknown[0]!r} is not among "
                "them: Candle names only classes whose names it knew in training."
            )
        if names != self.names or len(self.head.visual_prototypes) != len(prototypes):
            self.names = names
            self._make_head(text.to(self.head.text_features.device), len(prototypes))
        for name in _BUFFERS:
            getattr(self.head, name).copy_(state[name])
        return super().load_checkpoint_state(state, source)

    def _names_in(self, state: Mapping[str, Tensor]) -> list[str]:
        """The names of a checkpoint; a public one keeps their text features only."""
        if _NAMES in state:
            return list(json.loads(bytes(state[_NAMES].tolist()).decode()))
        theirs = normalize(state["text_features"].float())  # (K, D)
        own = normalize(self.head.text_features[self.columns].to(theirs.device))
        likeness, places = (own @ theirs.t()).max(dim=1)
        names = [""] * len(theirs)
        for name, alike, place in zip(self.classnames, likeness, places.tolist(), strict=True):
            names[place] = name if alike > _ALIKE else ""
        return names


class Candle(PromptTrainer):
    """Compensating logit-adjusted loss, cross-modal attention, virtual prototypes.

    All names are known in training, those without images included; every name's prototype is
    classified beside the images, so that its count is one more than its images.

    Source: Shi et al., Efficient and Long-Tailed Generalization for Pre-trained Vision-Language
    Model, KDD 2024, arXiv:2406.12638.
    """

    model_class = CandleCLIP
    model: CandleCLIP

    def check_cfg(self, cfg: Any) -> None:
        """Refuse another loss, and values that do not exist."""
        super().check_cfg(cfg)
        one_of(f"{_NODE}.VIRTUAL_INIT", cfg.TRAINER.CANDLE.VIRTUAL_INIT, STARTS)
        in_range(f"{_NODE}.SCALE", cfg.TRAINER.CANDLE.SCALE, 0)
        loss = cfg.TRAINER.IMBALANCE_LOSS.NAME
        if loss != "ce":
            raise UserError(
                f"TRAINER.IMBALANCE_LOSS.NAME is {loss!r}, but Candle has a loss of its own, which "
                "knows the class counts: leave it at 'ce'."
            )

    def make_model(self, clip_model: Backbone) -> CandleCLIP:
        """The model, which also knows the names that have no training images."""
        model = self.model_class(self.cfg, self.classnames, clip_model)
        every = getattr(self.dm.dataset, "every_classname", self.classnames)
        model.know([name for name in every if name not in self.classnames], clip_model)
        return model

    def before_train(self) -> None:
        """Look at the training images for their classes' prototypes; then as always."""
        if self.classification_loss is not None:
            self.model.head.see(class_means(self))
        super().before_train()

    def losses(
        self, batch: Batch, text: Tensor | None = None
    ) -> tuple[dict[str, Tensor], PromptOutputs]:
        """Three losses of images and prototypes over all names, and the objective's terms."""
        model, labels = self.model, batch["label"]
        with self.precision.context(self.device):
            features = self._features(batch)
            views = model.head(features, with_prototypes=True, together=True)
            n = len(features)
            outputs = model.outputs((views[1] + views[2])[:n], features, text)
            every = torch.arange(len(model.names), device=labels.device)
            answers = torch.cat([labels, every])  # (B + K,)
            loss = self.compensated()
            found = (loss(view.float(), answers) for view in views)
            terms = dict(zip(("ce_plain", "ce_text", "ce_visual"), found, strict=True))
        if self.objective is not None:
            terms.update(self.objective(outputs, labels))
        return terms, outputs

    def compensated(self) -> LogitAdjustedLoss:
        """Logit adjustment in which every name has one image more: its prototype."""
        counts = self.class_counts.new_zeros(len(self.model.names))
        counts[: len(self.class_counts)] = self.class_counts
        return LogitAdjustedLoss(counts + 1, 1.0).to(self.device)

    def _features(self, batch: Batch) -> Tensor:
        """Image features (B, D) of the whole batch, whoever encodes which rows."""
        if "features" in batch:
            own = batch["features"]
        else:
            own = self.model.image_features(batch["img"])
        return own if ranks.alone() else gathered(own, len(batch["label"]))
