"""What the package computes in float32, computed in float64 instead."""

from __future__ import annotations

import sys
from typing import Any

import torch

from npt_plugin.backbone import precision
from npt_plugin.backbone.openai import clip_module


def replacements() -> list[tuple[Any, str, Any]]:
    """Attributes to set: (owner, name, value). ``torch.set_default_dtype`` is for the caller.

    ``.float()`` and ``PREC fp32`` mean float64, and CLIP's LayerNorms, which compute in float32
    whatever they get, compute in the dtype of what they get.
    """
    models = [sys.modules[f"{clip_module().__name__}.model"]]
    models += [sys.modules[name] for name in ("clip.model",) if name in sys.modules]  # a host's
    norms = {module.LayerNorm for module in models}
    return [
        *((norm, "forward", torch.nn.LayerNorm.forward) for norm in norms),
        (torch.nn.Module, "float", torch.nn.Module.double),
        (torch.Tensor, "float", torch.Tensor.double),
        (precision, "_TABLE", precision._TABLE | {"fp32": _DOUBLE}),
    ]


_DOUBLE = precision.Precision("fp32", torch.float64)
