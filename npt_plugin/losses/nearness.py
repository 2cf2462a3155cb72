"""Terms of other methods that hold a prompt learner near zero-shot CLIP."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from npt_plugin.geometry import promote


class KnowledgeGuidanceLoss(nn.Module):
    """1 - mean_k cos(w_k, a_k): text features stay near the zero-shot ones.

    Source: KgCoOp, Yao et al., CVPR 2023, arXiv:2303.13283, equation 5, for unit vectors half the
    squared distance.

    Args:
        anchor: (K, D), frozen text features, unit norm.
    """

    anchor: Tensor

    def __init__(self, anchor: Tensor) -> None:
        super().__init__()
        self.register_buffer("anchor", anchor.detach(), persistent=False)

    def forward(self, image_features: Tensor, text_features: Tensor, labels: Tensor) -> Tensor:
        """The scalar term; images and labels are not looked at.

        Args:
            image_features: (B, D), unused.
            text_features: (K, D) or (B, K, D), unit norm, any float dtype.
            labels: (B,), unused.

        Returns:
            Scalar in [0, 2], float32 (float64 for float64 input).
        """
        text = promote(text_features)
        return 1 - (text * self.anchor.to(text.dtype)).sum(dim=-1).mean()


class DistillationLoss(nn.Module):
    """-T^2 mean_b sum_k p0_bk log p_bk: predictions stay near those of zero-shot CLIP.

    p0 and p are softmax of logits / T, of zero-shot and of learned text features, both on the same
    image features; so it is for methods whose image side is frozen.

    Source: ProGrad, Zhu et al., ICCV 2023, arXiv:2205.14865, equation 3 up to a constant.

    Args:
        anchor: (K, D), frozen text features, unit norm.
        scale: Of logits over cosines.
        temperature: T > 0.
    """

    anchor: Tensor

    def __init__(self, anchor: Tensor, scale: float, temperature: float = 1.0) -> None:
        super().__init__()
        self.register_buffer("anchor", anchor.detach(), persistent=False)
        self.scale, self.temperature = scale, temperature

    def forward(self, image_features: Tensor, text_features: Tensor, labels: Tensor) -> Tensor:
        """The scalar term; labels are not looked at.

        Args:
            image_features: (B, D), unit norm, any float dtype.
            text_features: (K, D), unit norm, any float dtype.
            labels: (B,), unused.

        Returns:
            Scalar, float32 (float64 for float64 input).
        """
        images, text = promote(image_features), promote(text_features)
        sharpness = self.scale / self.temperature
        teacher = (sharpness * images @ self.anchor.to(images.dtype).T).detach()  # (B, K)
        student = sharpness * images @ text.T  # (B, K)
        entropy = -(teacher.softmax(dim=-1) * student.log_softmax(dim=-1)).sum(dim=-1)
        return self.temperature**2 * entropy.mean()


def mean_distance(features: Tensor, frozen: Tensor) -> Tensor:
    """Mean over all entries of |features - frozen|: the L1 term of PromptSRC.

    Source: PromptSRC, Khattak et al., ICCV 2023, arXiv:2307.06948, equation 4; the released code
    has the mean over entries in place of the sum.

    Args:
        features: (N, D), any float dtype.
        frozen: (N, D), the same of the frozen model.

    Returns:
        Scalar, float32 (float64 for float64 input).
    """
    learned = promote(features)
    return (learned - frozen.to(learned.dtype)).abs().mean()


def mean_divergence(logits: Tensor, frozen: Tensor) -> Tensor:
    """Sum over images of KL(frozen || learned), over the number of logits: PromptSRC's third term.

    Source: PromptSRC, arXiv:2307.06948, equation 5, with the released code's mean over B x K.

    Args:
        logits: (B, K), any float dtype.
        frozen: (B, K), of the frozen model.

    Returns:
        Scalar, float32 (float64 for float64 input).
    """
    learned = promote(logits).log_softmax(dim=-1)  # (B, K)
    wanted = frozen.to(learned.dtype).log_softmax(dim=-1)  # (B, K)
    divergence: Tensor = torch.sum(wanted.exp() * (wanted - learned))
    return divergence / logits.numel()
