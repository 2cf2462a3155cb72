"""Decoder: transformer blocks and a head on the tokens of CLIP's frozen image tower."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.loading import backbone_name
from npt_plugin.backbone.tokens import all_tokens, class_token
from npt_plugin.heads.decoder import Decoder as TokenDecoder
from npt_plugin.system.options import in_range
from npt_plugin.trainers.checks import HEAD_WITHOUT_VIT, require_vit
from npt_plugin.trainers.headed import HeadedCLIP, HeadTrainer


class DecoderCLIP(HeadedCLIP):
    """Frozen image tower, learned decoder and head; features have the tower's width W."""

    prec_node = "DECODER"

    def __init__(self, cfg: Any, classnames: Sequence[str], clip_model: Backbone) -> None:
        super().__init__(cfg, classnames, clip_model)
        node, tower = cfg.TRAINER.DECODER, self.image_encoder
        backbone = backbone_name(cfg)
        require_vit(tower.no_class_token, "Decoder reads the tokens", backbone, HEAD_WITHOUT_VIT)
        self.learns_image_side = node.DEPTH > 0
        self.final_norm = node.FINAL_NORM
        self.feature_kind = f"class token, final norm {self.final_norm}"
        self.decoder = None
        if self.learns_image_side:
            self.decoder = TokenDecoder(tower.width, node.DEPTH, node.HEADS, node.MLP_RATIO)
        self.add_head(cfg, clip_model, projected=False)

    def encode_images(self, images: Tensor) -> Tensor:
        """The class token (B, W) after the decoder; without blocks, the tower's own."""
        tower = self.image_encoder
        if self.decoder is None:
            feature = class_token(tower, images)  # (B, W)
        else:
            feature = self.decoder(all_tokens(tower, images))  # (B, L, W) -> (B, W)
        return tower.norm(feature) if self.final_norm else feature

    def export_obstacle(self) -> str:
        """A head on the unprojected feature does not fit CLIP's output."""
        return super().export_obstacle() or "its head is not on CLIP's feature"


class Decoder(HeadTrainer):
    """A small transformer on frozen visual tokens, then a head.

    Source: Wang et al., Exploring Vision-Language Models for Imbalanced Learning, IJCV 2023,
    arXiv:2304.01457, from the formulas of its released code. Ours: heads other than linear, and
    ``FINAL_NORM``, which is CLIP's own frozen ``ln_post``.
    """

    model_class = DecoderCLIP

    def check_cfg(self, cfg: Any) -> None:
        """Refuse a decoder that cannot be built."""
        super().check_cfg(cfg)
        in_range("TRAINER.DECODER.DEPTH", cfg.TRAINER.DECODER.DEPTH, 0)
        in_range("TRAINER.DECODER.MLP_RATIO", cfg.TRAINER.DECODER.MLP_RATIO, 1e-6)
