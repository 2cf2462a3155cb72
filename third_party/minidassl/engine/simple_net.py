"""The default model: a registered backbone, perhaps a head, and a linear classifier."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from yacs.config import CfgNode

from minidassl.modeling import build_backbone, build_head


class SimpleNet(nn.Module):
    """Backbone, optional head, optional linear classifier.

    Args:
        cfg: the config tree; reads ``VERBOSE``.
        model_cfg: the ``MODEL`` section.
        num_classes: width of the classifier; 0 for none.
        **kwargs: handed to backbone and head.
    """

    def __init__(self, cfg: CfgNode, model_cfg: CfgNode, num_classes: int, **kwargs: Any) -> None:
        super().__init__()
        backbone, head = model_cfg.BACKBONE, model_cfg.HEAD
        self.backbone = build_backbone(
            backbone.NAME, verbose=cfg.VERBOSE, pretrained=backbone.PRETRAINED, **kwargs
        )
        self._fdim = self.backbone.out_features
        self.head = None
        if head.NAME and head.HIDDEN_LAYERS:
            self.head = build_head(
                head.NAME,
                verbose=cfg.VERBOSE,
                in_features=self._fdim,
                hidden_layers=head.HIDDEN_LAYERS,
                activation=head.ACTIVATION,
                bn=head.BN,
                dropout=head.DROPOUT,
                **kwargs,
            )
            self._fdim = self.head.out_features
        self.classifier = nn.Linear(self._fdim, num_classes) if num_classes > 0 else None

    @property
    def fdim(self) -> int:
        """Width of the features before the classifier."""
        return self._fdim

    def forward(self, x: torch.Tensor, return_feature: bool = False) -> Any:
        """Compute scores.

        Args:
            x: images (B, 3, H, W).
            return_feature: also return the features.

        Returns:
            Scores (B, K), or (scores, features (B, D)); without a classifier, the features.
        """
        features = self.backbone(x)
        features = features if self.head is None else self.head(features)  # (B, D)
        if self.classifier is None:
            return features
        scores = self.classifier(features)  # (B, K)
        return (scores, features) if return_feature else scores
