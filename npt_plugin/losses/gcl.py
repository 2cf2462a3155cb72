"""GCL: Gaussian clouded logits, more noise on rarer classes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from npt_plugin.losses.classification import UNWEIGHTED, ClassificationLoss, Weighting, focal
from npt_plugin.optim.noise import NoiseStream
from npt_plugin.system.options import check_counts


def cloud_sizes(class_counts: Tensor) -> Tensor:
    """delta_c = (log n_max - log n_c) / (log n_max - log n_min), in [0, 1].

    All 0 when the counts are equal, where the released code divides 0 by 0.

    Args:
        class_counts: (K,), training images per class, all >= 1.

    Returns:
        (K,), float64; 0 for the most frequent class, 1 for the rarest.

    Example:
        >>> [round(size, 4) for size in cloud_sizes(torch.tensor([16, 4, 1])).tolist()]
        [0.0, 0.5, 1.0]
    """
    logs = check_counts(class_counts).log()
    span = logs.max() - logs.min()
    return (logs.max() - logs) / span if span > 0 else torch.zeros_like(logs)


class GCLLoss(ClassificationLoss):
    """CE of s (cos_c - noise |eps| delta_c - m [c = y]), with eps ~ N(0, 1/9) clipped to [-1, 1].

    Noise is drawn anew for every image and class and falls on ALL logits, the margin on the
    target's only. The logits that come in are s cos already, so noise and margin are multiplied
    by s. In eval mode it is plain cross-entropy.
    Source: Li et al. 2022, arXiv:2305.11733, as released with GNM-PT (s 25, m 0.1, noise 1);
    the config's defaults are the same sizes in logits at CLIP's s = 100.
    On average it is a logit adjustment with tau = s noise 0.2657 / log(n_max/n_min).

    Args:
        class_counts: (K,), training images per class.
        margin: m, in units of cosine.
        noise: Largest noise of the rarest class, in units of cosine.
        logit_scale: s, what turns margin and noise into logits.
        gamma: Focal exponent; 0: off. The focal factor is a constant for the gradient.
        seed: Of the noise.
        weighting: Class weights, if any.
    """

    clouds: Tensor  # (K,), in logits

    def __init__(
        self,
        class_counts: Tensor,
        margin: float,
        noise: float,
        logit_scale: float,
        gamma: float = 0.0,
        seed: int = 0,
        weighting: Weighting = UNWEIGHTED,
    ) -> None:
        super().__init__(class_counts, weighting)
        self.shift, self.gamma = logit_scale * margin, gamma
        clouds = (logit_scale * noise * cloud_sizes(class_counts)).float()
        self.register_buffer("clouds", clouds, persistent=False)
        self.stream = NoiseStream(seed)

    def per_sample(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of each image (B,); arguments as in the base."""
        if self.training:
            noise = self.stream.draw(logits.shape, logits.device).abs()  # (B, K)
            margin = torch.zeros_like(logits).scatter(1, labels[:, None], self.shift)  # (B, K)
            logits = logits - (noise * self.clouds).to(logits.dtype) - margin
        losses = F.cross_entropy(logits, labels, reduction="none")
        if self.gamma == 0:
            return losses
        factor = focal(losses.detach(), self.gamma) / losses.detach().clamp_min(1e-12)
        return factor * losses

    def get_extra_state(self) -> dict[str, Tensor]:
        """State of the noise, so that a resumed run draws what the uninterrupted one would."""
        return self.stream.state_dict()

    def set_extra_state(self, state: dict[str, Tensor]) -> None:
        """Continue the noise from a saved state; called by ``load_state_dict``."""
        self.stream.load_state_dict(state)
