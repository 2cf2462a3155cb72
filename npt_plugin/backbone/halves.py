"""Half precision of towers as OpenAI's ``convert_weights`` has it."""

from __future__ import annotations

import torch
from torch import nn

_MATRICES = ("proj", "text_projection")
"""Parameters of a tower itself that stand for linear maps."""


def halve(tower: nn.Module, dtype: torch.dtype) -> None:
    """Cast convolutions and linear maps in place; norms and embeddings keep single precision.

    LayerNorm then computes in fp32, see :func:`~npt_plugin.backbone.block.normed`.

    Args:
        tower: An image or text tower.
        dtype: ``float16`` or ``bfloat16``.
    """
    for module in tower.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.to(dtype)
        elif isinstance(module, nn.MultiheadAttention):
            _cast(module, ("in_proj_weight", "in_proj_bias"), dtype)
    _cast(tower, _MATRICES, dtype)


def _cast(owner: nn.Module, names: tuple[str, ...], dtype: torch.dtype) -> None:
    for name in names:
        parameter = getattr(owner, name, None)
        if isinstance(parameter, nn.Parameter):
            parameter.data = parameter.data.to(dtype)
