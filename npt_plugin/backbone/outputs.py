"""What every prompt learner hands to the losses."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


def normalize(features: Tensor) -> Tensor:
    """Features (..., D) divided by their L2 norm, as CLIP does it (no epsilon)."""
    return features / features.norm(dim=-1, keepdim=True)


def scaled_cosines(
    features: Tensor, text: Tensor, log_scale: Tensor, bias: Tensor | None = None
) -> Tensor:
    """Scaled cosines, plus the bias of a model that has one (SigLIP).

    Args:
        features: (B, D), unit norm.
        text: (K, D), unit norm; or (B, K, D) where every image has its own.
        log_scale: Logarithm of the scale.
        bias: A number, or None.

    Returns:
        (B, K).
    """
    scaled = log_scale.exp() * features  # (B, D)
    logits = scaled @ text.t() if text.ndim == 2 else torch.einsum("bd,bkd->bk", scaled, text)
    return logits if bias is None else logits + bias


@dataclass(frozen=True)
class PromptOutputs:
    """One batch seen through both towers; the only thing a loss term may look at.

    Attributes:
        logits: (B, K), cosines already multiplied by the logit scale, plus the bias of a model that
            has one; a linear head's as they are.
        image_features: (B, D), unit norm.
        text_features: (K, D), unit norm; (B, K, D) where the prompts depend on the image (CoCoOp).
            With a classifier head: its rows, unit norm.
    """

    logits: Tensor
    image_features: Tensor
    text_features: Tensor
