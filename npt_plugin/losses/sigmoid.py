"""SigLIP's own loss: every class a question of its own, yes or no."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from npt_plugin.losses.classification import ClassificationLoss


class SigmoidLoss(ClassificationLoss):
    """Sum over the classes of -log sigmoid(z l), with z = 1 for the true class and -1 for others.

    Unlike softmax it sees the bias of SigLIP's logits l = s cos + b, which says how rare a match
    is. It is the published loss with the texts of all classes in the batch.

    Source: Zhai et al. 2023, Sigmoid Loss for Language Image Pre-Training, arXiv:2303.15343,
    section 3.2.
    """

    def per_sample(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of each image (B,); arguments as in the base."""
        of_all = F.softplus(logits).sum(dim=1)  # -log sigmoid(-l), (B,)
        return of_all - logits.gather(1, labels.unsqueeze(1)).squeeze(1)
