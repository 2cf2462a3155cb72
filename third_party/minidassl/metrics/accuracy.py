"""Top-k accuracy of one batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def compute_accuracy(
    output: torch.Tensor | Sequence[torch.Tensor], target: torch.Tensor, topk: Sequence[int] = (1,)
) -> list[torch.Tensor]:
    """Compute the share of samples whose class is among the k highest scores.

    Args:
        output: Scores (B, K); of a tuple or list the first entry counts.
        target: Class labels (B,), integer.
        topk: Values of k.

    Returns:
        For each k a tensor (1,), in percent, on the device of the scores.
    """
    scores = output[0] if isinstance(output, (tuple, list)) else output
    ranked = scores.topk(max(topk), dim=1).indices  # (B, k)
    hits = ranked == target[:, None]  # (B, k)
    percent_each = 100.0 / target.shape[0]
    return [hits[:, :k].sum().float().reshape(1) * percent_each for k in topk]
