"""LinearProbe: a head on CLIP's frozen image feature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.loading import backbone_name
from npt_plugin.backbone.tokens import class_token
from npt_plugin.trainers.checks import HEAD_WITHOUT_VIT, require_vit
from npt_plugin.trainers.headed import HeadedCLIP, HeadTrainer, check_feature


class LinearProbeCLIP(HeadedCLIP):
    """Frozen CLIP with a learned head; its features may be cached."""

    prec_node = "LINEAR_PROBE"
    features_are_clips = True

    def __init__(self, cfg: Any, classnames: Sequence[str], clip_model: Backbone) -> None:
        super().__init__(cfg, classnames, clip_model)
        wanted = cfg.TRAINER.LINEAR_PROBE.FEATURE
        self.projected = check_feature("TRAINER.LINEAR_PROBE.FEATURE", wanted)
        if not self.projected:
            reads, backbone = "LinearProbe on ln_post reads the tokens", backbone_name(cfg)
            require_vit(self.image_encoder.no_class_token, reads, backbone, HEAD_WITHOUT_VIT)
        self.feature_kind = f"not normalised, {wanted}"
        self.add_head(cfg, clip_model, self.projected)

    def encode_images(self, images: Tensor) -> Tensor:
        """CLIP's feature (B, D), or the layer-normed class token (B, W)."""
        if self.projected:
            return self.image_encoder(images)
        return self.image_encoder.norm(class_token(self.image_encoder, images))

    def export_obstacle(self) -> str:
        """A head on the unprojected feature does not fit CLIP's output."""
        return super().export_obstacle() if self.projected else "its head is not on CLIP's feature"


class LinearProbe(HeadTrainer):
    """Linear probe, or a cosine head started from text, on frozen features.

    Sources: linear probe, Radford et al. 2021, arXiv:2103.00020, section 3.2; cosine head with
    semantic initialisation, LIFT, Shi et al., ICML 2024, arXiv:2309.10019.
    """

    model_class = LinearProbeCLIP
