"""PromptSRC: prompts in both towers, held near frozen CLIP in three ways, averaged over epochs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, reduce
from operator import add
from typing import Any

import torch
from torch import Tensor, nn

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.outputs import PromptOutputs, normalize
from npt_plugin.datasets.prompt_ensembles import PROMPTSRC
from npt_plugin.engine.distributed import gathered
from npt_plugin.errors import UserError
from npt_plugin.geometry import promote
from npt_plugin.losses.nearness import mean_distance, mean_divergence
from npt_plugin.system import ranks
from npt_plugin.system.options import in_range
from npt_plugin.trainers.base import Batch
from npt_plugin.trainers.epoch_average import EpochAverage, gaussian_weights, refuse_selection
from npt_plugin.trainers.ivlp import IVLP, IVLPCLIP
from npt_plugin.trainers.named_text import NamedText

_NODE = "TRAINER.PROMPTSRC"


@torch.no_grad()
def ensemble_features(
    clip_model: Backbone, classnames: Sequence[str], templates: Sequence[str], chunk: int = 0
) -> Tensor:
    """Direction of the mean over templates of each class's text features, (K, D).

    The mean is over features as the tower gives them, with their norms.

    Args:
        clip_model: ``clip.model.CLIP``.
        classnames: K names; underscores are read as spaces.
        templates: Prompts with one ``{}`` each.
        chunk: Prompts encoded at a time; 0: all.
    """
    tower = clip_model.text_tower(chunk)
    each = (NamedText(clip_model, classnames, t).features(tower).float() for t in templates)
    return normalize(reduce(add, each) / len(templates))


class PromptSRCCLIP(IVLPCLIP):
    """CLIP with independent prompts in both towers."""

    prec_node = "PROMPTSRC"

    @torch.no_grad()
    def frozen_features(self, images: Tensor) -> Tensor:
        """Unit-norm features (B, D) of images in CLIP as it was."""
        return normalize(self.image_encoder(images))


class PromptSRC(IVLP):
    """Self-regulating prompts: cross-entropy, L1 distances of image and text features to the frozen
    ones, and the divergence of logits from the frozen ones.

    Source: Khattak et al., Self-regulating Prompts: Foundational Model Adaptation without
    Forgetting, ICCV 2023, arXiv:2307.06948.
    """

    model_class = PromptSRCCLIP
    model: PromptSRCCLIP

    def check_cfg(self, cfg: Any) -> None:
        """Refuse negative weights."""
        super().check_cfg(cfg)
        node = cfg.TRAINER.PROMPTSRC
        for name in ("TEXT_LOSS_WEIGHT", "IMAGE_LOSS_WEIGHT"):
            in_range(f"{_NODE}.{name}", node[name], 0)

    def wanted_average(self, cfg: Any) -> EpochAverage:
        """The Gaussian average that is part of the method.

        Raises:
            UserError: If another is asked for, or the best epoch is to be tested.
        """
        node = cfg.TRAINER.PROMPTSRC
        if cfg.TRAIN.AVERAGE:
            raise UserError(
                f"TRAIN.AVERAGE is {cfg.TRAIN.AVERAGE!r}, but PromptSRC averages its epochs itself "
                f"by {_NODE}.GPA_MEAN and GPA_STD: leave it empty."
            )
        spread = in_range(f"{_NODE}.GPA_STD", node.GPA_STD, 1e-6)
        refuse_selection(cfg, "PromptSRC tests an average over all epochs")
        return EpochAverage(gaussian_weights(cfg.OPTIM.MAX_EPOCH, node.GPA_MEAN, spread))

    def build_objective(self, clip_model: Backbone) -> nn.Module | None:
        """No term here; remember what the frozen text features are made of."""
        self._clip_model = clip_model
        return None

    @cached_property
    def frozen_text(self) -> Tensor:
        """Frozen text features (K, D), float32; made when training begins, not for a test."""
        chunk = self.model.text_encoder.chunk
        return ensemble_features(self._clip_model, self.classnames, PROMPTSRC, chunk)

    def losses(
        self, batch: Batch, text: Tensor | None = None
    ) -> tuple[dict[str, Tensor], PromptOutputs]:
        """The base's terms, and the three that hold features and logits."""
        terms, outputs = super().losses(batch, text)
        node = self.cfg.TRAINER.PROMPTSRC
        with self.precision.context(self.device):
            images = promote(self._frozen_images(batch, outputs))  # (B, D)
        frozen = self.model.logit_scale.exp() * images @ self.frozen_text.t()  # (B, K)
        terms["scl_logits"] = mean_divergence(outputs.logits, frozen)
        to_text = mean_distance(outputs.text_features, self.frozen_text)
        terms["scl_text"] = node.TEXT_LOSS_WEIGHT * to_text
        to_images = mean_distance(outputs.image_features, images)
        terms["scl_image"] = node.IMAGE_LOSS_WEIGHT * to_images
        return terms, outputs

    def _frozen_images(self, batch: Batch, outputs: PromptOutputs) -> Tensor:
        """Frozen features (B, D) of the whole batch, whoever encodes which rows."""
        if not self.model.learns_image_side:
            return outputs.image_features
        own = self.model.frozen_features(batch["img"])
        return own if ranks.alone() else gathered(own, len(batch["label"]))
