"""GNM_PT: VPT-Deep whose prompt outputs are part of the feature, with a head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.loading import backbone_name
from npt_plugin.backbone.tokens import prompted_tokens
from npt_plugin.system.options import in_range
from npt_plugin.trainers.checks import HEAD_WITHOUT_VIT, require_vit
from npt_plugin.trainers.headed import HeadedCLIP, HeadTrainer, check_feature


class GNMPTCLIP(HeadedCLIP):
    """Prompts in every layer of the image tower, and a head on class token and prompt outputs.

    The feature is (LN(class token) + mean of LN(prompt outputs)) / 2. The released code leaves the
    prompt outputs un-normed; ``NORM_PROMPTS False`` does so too.
    """

    learns_image_side = True
    prec_node = "GNM_PT"

    def __init__(self, cfg: Any, classnames: Sequence[str], clip_model: Backbone) -> None:
        super().__init__(cfg, classnames, clip_model)
        node, tower = cfg.TRAINER.GNM_PT, self.image_encoder
        needs = "GNM_PT puts prompts between the tokens"
        require_vit(tower.no_class_token, needs, backbone_name(cfg), HEAD_WITHOUT_VIT)
        self.projected = check_feature("TRAINER.GNM_PT.FEATURE", node.FEATURE)
        self.norm_prompts = node.NORM_PROMPTS
        self.feature_kind = f"prompted, {node.FEATURE}, norm prompts {self.norm_prompts}"
        prompts = torch.empty(tower.depth, node.N_CTX, tower.width)  # (J, n, W)
        self.prompts = nn.Parameter(nn.init.trunc_normal_(prompts, std=0.02, a=-0.04, b=0.04))
        self.dropout = nn.Dropout(node.DROPOUT)
        self.add_head(cfg, clip_model, self.projected)

    def encode_images(self, images: Tensor) -> Tensor:
        """The feature: (B, W), or (B, D) where it is projected."""
        tower = self.image_encoder
        tokens = prompted_tokens(tower, images, self.prompts)  # (B, 1 + n, W)
        first = tower.norm(tokens[:, 0])  # (B, W)
        outputs = tokens[:, 1:]  # (B, n, W)
        if self.norm_prompts:
            outputs = tower.norm(outputs)
        feature = (first + outputs.mean(dim=1)) / 2  # (B, W)
        projection = tower.projection if self.projected else None
        return feature if projection is None else feature @ projection

    def before_head(self, features: Tensor) -> Tensor:
        """Features (B, D) with dropout in training."""
        return self.dropout(features)


class GNM_PT(HeadTrainer):
    """The VPT-Deep classifier of GNM-PT; its loss and optimiser are config keys.

    The configs in ``configs/trainers/GNM_PT`` switch on GCL, deferred re-weighting and GNM with the
    published numbers; without them this is VPT-Deep with a head.

    Source: Gaussian neighbourhood minimisation for prompt tuning (GNM-PT), NeurIPS 2024, from the
    formulas of its poster and released code, on CLIP's ViT. Ours: prompt outputs are layer-normed
    like the class token, and dropout is active in all of training and never in evaluation.
    """

    model_class = GNMPTCLIP

    def check_cfg(self, cfg: Any) -> None:
        """Refuse impossible prompts or dropout."""
        super().check_cfg(cfg)
        in_range("TRAINER.GNM_PT.N_CTX", cfg.TRAINER.GNM_PT.N_CTX, 1)
        in_range("TRAINER.GNM_PT.DROPOUT", cfg.TRAINER.GNM_PT.DROPOUT, 0, 1 - 1e-9)
