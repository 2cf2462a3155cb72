"""CLIP with a classifier head on its image feature: what Decoder, LinearProbe and GNM_PT share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.outputs import PromptOutputs, normalize
from npt_plugin.errors import UserError
from npt_plugin.heads.build import build_head, check_head
from npt_plugin.heads.head import Head
from npt_plugin.heads.initial import semantic_rows
from npt_plugin.system.options import one_of
from npt_plugin.trainers.base import PromptTrainer
from npt_plugin.trainers.feature_means import class_means
from npt_plugin.trainers.model import PromptedCLIP
from npt_plugin.trainers.named_text import text_features_of
from npt_plugin.trainers.zeroshot import template_of

FEATURES = ("projected", "ln_post")
"""CLIP's image feature, size D, or the layer-normed class token before its projection, size W."""


class HeadedCLIP(PromptedCLIP):
    """A frozen or tuned image side with a head; a subclass supplies ``encode_images``.

    ``text_features`` are the head's rows at unit norm: the class vectors of this classifier, for
    neural-collapse metrics and further terms. The text tower is used for the start only.

    Attributes:
        classnames: K names.
        head: ``TRAINER.HEAD``.
    """

    other_nodes = ("HEAD", "ZSCLIP")
    checkpoint_name = "classifier"
    features_are_clips = False
    head: Head

    def __init__(self, cfg: Any, classnames: Sequence[str], clip_model: Backbone) -> None:
        super().__init__(cfg, classnames, clip_model)
        self.classnames = list(classnames)

    def add_head(self, cfg: Any, clip_model: Backbone, projected: bool) -> None:
        """Build ``self.head``.

        Args:
            cfg: The run's config.
            clip_model: Gives text features where the head starts from them.
            projected: Whether features are in CLIP's joint space (D); else of the tower's width W.
        """
        self.in_joint_space = projected
        dim = self.image_encoder.dim if projected else self.image_encoder.width
        scale = float(self.logit_scale.detach().exp())
        tau, names = cfg.TRAINER.IMBALANCE_LOSS.TAU_NORM, self.classnames

        def rows() -> Tensor:
            return self.text_rows(cfg, clip_model, projected)

        self.head = build_head(cfg.TRAINER.HEAD, len(names), dim, scale, rows, tau)
        self.learns_text_side = not self.head.names_new_classes
        self.takes_tau_norm = self.head.scale is None

    def text_rows(self, cfg: Any, clip_model: Backbone, projected: bool) -> Tensor:
        """Zero-shot CLIP's text features as rows (K, D) or (K, W); arguments as in ``add_head``."""
        template, chunk = template_of(cfg), self.text_encoder.chunk
        text = text_features_of(clip_model, self.classnames, template, chunk)  # (K, D)
        return self.rows_of_text(text)

    def image_features(self, images: Tensor) -> Tensor:
        """Features (B, D) of images (B, 3, H, W), not normalised: a linear head sees their norm."""
        return self.tower_features(images)

    def classify(self, features: Tensor, text: Tensor | None = None) -> PromptOutputs:
        """Put features through the head.

        Args:
            features: (B, D), not normalised.
            text: What ``text_features`` gave, as in evaluation; None: compute it.
        """
        features = features.float()
        logits = self.head(self.before_head(features))  # (B, K)
        rows = self.text_features() if text is None else text
        return PromptOutputs(logits, normalize(features), rows)

    def before_head(self, features: Tensor) -> Tensor:
        """What the head sees of features (B, D); dropout goes here."""
        return features

    def text_features(self) -> Tensor:
        """The head's rows (K, D) at unit norm."""
        return normalize(self.head.rows())

    def rows_of_text(self, text: Tensor) -> Tensor:
        """Text features (K, D) as rows for the head's features, (K, D) or (K, W), unit norm."""
        return semantic_rows(text, None if self.in_joint_space else self.image_encoder.projection)

    def classifier_rows(self) -> Tensor:
        """The head's rows (K, D)."""
        return self.head.rows()

    @property
    def head_scale(self) -> float | None:
        """s of a text or cosine head; None for a linear one."""
        return self.head.scale

    @property
    def head_bias(self) -> float:
        """A head has a bias of its own or none."""
        return 0.0

    def export_obstacle(self) -> str:
        """Only a text or cosine head on CLIP's own feature is one vector per class."""
        if self.head.scale is None:
            return "its head is linear"
        return super().export_obstacle()

    def check_classes(self, names: Sequence[str], source: str) -> None:
        """Refuse a learned head of other classes.

        Raises:
            UserError: If the names or their order differ; a text head takes any.
        """
        if not self.head.names_new_classes and list(names) != self.classnames:
            raise UserError(
                f"{source} holds a head for {', '.join(list(names)[:3])}, ... and cannot name "
                f"{', '.join(self.classnames[:3])}, ...: test it on the classes it was trained on, "
                "or train with TRAINER.HEAD.NAME text or a prompt method, which take new classes."
            )


class HeadTrainer(PromptTrainer):
    """Trains a ``HeadedCLIP``."""

    model: HeadedCLIP

    def check_cfg(self, cfg: Any) -> None:
        """Refuse a head that does not exist."""
        super().check_cfg(cfg)
        check_head(cfg.TRAINER.HEAD)

    def build_model(self) -> None:
        """Build as always; a text head on a frozen feature has nothing to learn."""
        super().build_model()
        if not self.model.learned():
            raise UserError(
                f"{self.cfg.TRAINER.NAME} with TRAINER.HEAD.NAME text has nothing to learn here, "
                "as both the feature and the head are fixed: use cosine or linear, or ZeroshotCLIP."
            )

    def before_train(self) -> None:
        """Start the head from class means if asked to; then as always."""
        node = self.cfg.TRAINER.HEAD
        wanted = node.INIT == "mean" and node.NAME != "text" and not self.cfg.MODEL.INIT_WEIGHTS
        if wanted and self.classification_loss is not None:
            self.model.head.set_rows(class_means(self))
        super().before_train()


def check_feature(key: str, value: str) -> bool:
    """Whether ``value`` asks for the projected feature.

    Raises:
        UserError: If it is no feature's name.
    """
    return one_of(key, value, FEATURES) == "projected"
