"""Class means of image features, of one batch or smoothed over batches."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from npt_plugin.geometry import promote


def membership(labels: Tensor, num_classes: int, dtype: torch.dtype) -> Tensor:
    """One-hot labels, by comparison: ``F.one_hot`` would wait for the device to check the range.

    Args:
        labels: (B,), integers in [0, K).
        num_classes: K.
        dtype: Of the result.

    Returns:
        (B, K), 1 where the image is of the class.

    Example:
        >>> membership(torch.tensor([2, 0]), 3, torch.float32).tolist()
        [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    classes = torch.arange(num_classes, device=labels.device)  # (K,)
    return (labels[:, None] == classes).to(dtype)


def class_average(values: Tensor, labels: Tensor, num_classes: int) -> tuple[Tensor, Tensor]:
    """Mean of per-image values by class; every class counts once, however many images it has.

    Args:
        values: (B,) or (B, D), float.
        labels: (B,), integers in [0, K).
        num_classes: K.

    Returns:
        Means (K,) or (K, D), 0 for absent classes, and the presence mask (K,), 0 or 1, of the
        same dtype.

    Example:
        >>> class_average(torch.tensor([1.0, 3.0, 8.0]), torch.tensor([0, 0, 2]), 3)
        (tensor([2., 0., 8.]), tensor([1., 0., 1.]))
    """
    members = membership(labels, num_classes, values.dtype)  # (B, K)
    counts = members.sum(dim=0)  # (K,)
    shares = members / counts.clamp_min(1)  # (B, K), each present column sums to 1
    return shares.T @ values, (counts > 0).to(values.dtype)


class ClassMeans(nn.Module):
    """Class means of the image features, from the batch alone or with an exponential average.

    With momentum mu > 0 a bank b_k is kept for every class seen so far, and for the classes
    present in the batch, with batch mean h_k,
        value     m_k = mu * b_k + (1 - mu) * h_k        (m_k = h_k the first time)
        gradient  dm_k / dh_k = I                         (not (1 - mu) I)
        update    b_k <- m_k, no gradient
    Absent classes that were seen before enter with m_k = b_k, a constant, so that a batch of one
    image still compares all classes, and the text side is pulled everywhere at each step.
    Why gradient I: h_k keeps acting through the bank, with weights (1 - mu)(1 + mu + mu^2 + ...),
    which add up to 1; it is credited with all of it now, because later its graph is gone. So the
    strength of a term does not depend on mu. Ours.

    Args:
        num_classes: K.
        momentum: mu in [0, 1); 0 uses the batch only and keeps no state.

    Example:
        >>> means = ClassMeans(2, momentum=0.75)
        >>> means(torch.tensor([[1.0]]), torch.tensor([0]))[0].tolist()
        [[1.0], [0.0]]
        >>> means(torch.tensor([[5.0]]), torch.tensor([0]))[0].tolist()  # 0.75 x 1 + 0.25 x 5
        [[2.0], [0.0]]
    """

    bank: Tensor  # (K, D); (K, 0) until the first batch tells D
    seen: Tensor  # (K,), 0 or 1

    def __init__(self, num_classes: int, momentum: float = 0.0) -> None:
        super().__init__()
        self.num_classes, self.momentum = num_classes, momentum
        if momentum > 0:
            self.register_buffer("bank", torch.zeros(num_classes, 0))
            self.register_buffer("seen", torch.zeros(num_classes))

    def forward(self, image_features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Class means and the classes that have one.

        The bank moves in training mode with gradients enabled, and only then.

        Args:
            image_features: (B, D), float32 or float64.
            labels: (B,), integers in [0, K).

        Returns:
            Means (K, D), 0 where there is none, and the mask (K,), 0 or 1.
        """
        batch, present = class_average(promote(image_features), labels, self.num_classes)
        learning = self.training and torch.is_grad_enabled()
        if self.momentum == 0 or (self.bank.shape[1] == 0 and not learning):
            return batch, present
        if self.bank.shape[1] == 0:
            self.bank = torch.zeros_like(batch, requires_grad=False)  # (K, D)
            self.seen = torch.zeros_like(present)  # (K,)
        bank, seen = self.bank.to(batch.dtype), self.seen.to(batch.dtype)
        mixed = torch.lerp(batch.detach(), bank, self.momentum * seen[:, None])  # (K, D)
        fresh = torch.where(present[:, None] > 0, mixed, bank)  # (K, D)
        known = torch.maximum(seen, present)  # (K,)
        if learning:
            self.bank.copy_(fresh)
            self.seen.copy_(known)
        return fresh + (batch - batch.detach()), known  # an absent class has batch mean 0

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        saved = state_dict.get(prefix + "bank")
        if saved is not None and self.momentum > 0 and self.bank.shape[1] != saved.shape[1]:
            self.bank = self.bank.new_zeros(self.num_classes, saved.shape[1])
        super()._load_from_state_dict(state_dict, prefix, *args)
