"""CoCoOp: context words shifted by each image."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.outputs import PromptOutputs, normalize, scaled_cosines
from npt_plugin.trainers.base import PromptTrainer
from npt_plugin.trainers.context import TextContext, initial_context
from npt_plugin.trainers.model import PromptedCLIP, recomputed

PROMPTS_AT_ONCE = 512
"""Images x classes encoded together in evaluation; bounds memory, does not change a number."""


class ConditionalContext(TextContext):
    """A shared context plus a small network that turns an image feature into a shift of it."""

    def __init__(self, cfg: Any, classnames: Sequence[str], clip_model: Backbone) -> None:
        ctx, words = initial_context(clip_model, cfg.TRAINER.COCOOP)
        super().__init__(clip_model, classnames, ctx, words)
        features = clip_model.dim
        self.meta_net = nn.Sequential(
            OrderedDict(
                linear1=nn.Linear(features, features // 16),
                relu=nn.ReLU(),
                linear2=nn.Linear(features // 16, ctx.shape[-1]),
            )
        )

    def forward(self, image_features: Tensor) -> Tensor:  # type: ignore[override]  # CoOp's has none
        """Prompts of each image: (B, D) unit-norm features -> (B, K, L, W)."""
        shift = self.meta_net(image_features.to(self.ctx.dtype))  # (B, W)
        return self.assemble(self.ctx + shift[:, None, None])  # shifted: (B, 1, n_ctx, W)


class CoCoOpCLIP(PromptedCLIP):
    """CLIP whose text features depend on the image: (B, K, D)."""

    text_depends_on_image = True
    prec_node = "COCOOP"

    def __init__(self, cfg: Any, classnames: Sequence[str], clip_model: Backbone) -> None:
        super().__init__(cfg, classnames, clip_model)
        self.prompt_learner = ConditionalContext(cfg, classnames, clip_model)

    def classify(self, features: Tensor, text: Tensor | None = None) -> PromptOutputs:
        """Compare images (B, D) with the classes, by prompts made for each image.

        Args:
            features: (B, D).
            text: Text features (B, K, D) computed in a pass of several runs; None: compute them.
        """
        text = self._text_of_all(features) if text is None else text
        logits = scaled_cosines(features, text, self.logit_scale, self.logit_bias)
        return PromptOutputs(logits, features, text)

    def prompts_for(self, features: Tensor) -> Tensor:
        """Prompts of each image: (B, D) unit-norm features -> (B, K, L, W)."""
        return self.prompt_learner(features)

    def classifier_rows(self) -> Tensor:
        """Text features (K, D) of an image whose feature is 0: each image has its own."""
        weight = self.prompt_learner.meta_net.get_parameter("linear1.weight")  # (D / 16, D)
        return self._text_for(weight.new_zeros(1, weight.shape[1]))[0]  # (1, K, D) -> (K, D)

    def _text_of_all(self, features: Tensor) -> Tensor:
        parts = features.split(self._images_at_once(features))
        text_for = self._text_for
        if len(parts) > 1 and torch.is_grad_enabled():
            text_for = partial(recomputed, self._text_for)  # the graph of one part at a time
        return torch.cat([text_for(part) for part in parts])  # (B, K, D)

    def _images_at_once(self, image: Tensor) -> int:
        """How many images' prompts go through the text tower together."""
        layout, n_images = self.prompt_learner.layout, len(image)
        n_classes = len(layout.eot)
        if not torch.is_grad_enabled():
            return max(1, PROMPTS_AT_ONCE // n_classes)
        length = layout.buckets[-1][1]
        cap = self.text_encoder.prompts_at_once(length, layout.shared, image)
        most = max(1, cap // n_classes) if cap else n_images
        return min(most, -(-n_images // self.pieces))

    def _text_for(self, image_features: Tensor) -> Tensor:
        learner = self.prompt_learner
        prompts = self.prompts_for(image_features)  # (b, K, L, W)
        features = self.text_encoder(prompts, learner.eot, layout=learner.layout)
        return normalize(features)  # (b, K, D)


class CoCoOp(PromptTrainer):
    """Conditional context optimisation.

    Source: Zhou et al., Conditional Prompt Learning for Vision-Language Models, CVPR 2022,
    arXiv:2203.05557.
    """

    model_class = CoCoOpCLIP
