"""What every prompt learner hands to the losses."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


def normalize(features: Tensor) -> Tensor:
    """Features (..., D) divided by their L2 norm, as CLIP does it (no epsilon)."""
    return features / features.norm(dim=-1, keepdim=True)


@dataclass(frozen=True)
class PromptOutputs:
    """One batch seen through both towers; the only thing a loss term may look at.

    Attributes:
        logits: (B, K), cosines already multiplied by the logit scale; a linear head's as they are.
        image_features: (B, D), unit norm.
        text_features: (K, D), unit norm; (B, K, D) where the prompts depend on the image (CoCoOp).
            With a classifier head: its rows, unit norm.
    """

    logits: Tensor
    image_features: Tensor
    text_features: Tensor
