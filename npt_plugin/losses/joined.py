"""Objectives of two methods side by side."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

from npt_plugin.backbone.outputs import PromptOutputs
from npt_plugin.losses.objective import Objective


class JoinedObjective(nn.Module):
    """All terms of several objectives, which have no name in common.

    Args:
        parts: The objectives.
    """

    def __init__(self, parts: Iterable[nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def set_epoch(self, epoch: int) -> None:
        """Tell each where training stands (counted from 0)."""
        for part in self.parts:
            if isinstance(part, Objective):
                part.set_epoch(epoch)

    def forward(self, outputs: PromptOutputs, labels: Tensor) -> dict[str, Tensor]:
        """Weighted terms of one batch, as ``Objective`` gives them."""
        return {name: term for part in self.parts for name, term in part(outputs, labels).items()}
