"""A trainer on a pretended accelerator: what a step may do on a GPU, seen on a machine without one.

A tensor on ``meta`` has shape, type and device but no numbers. Whatever asks for one (``.item()``,
``bool(tensor)``, ``nonzero``, a mask as an index) ends in an error; on a GPU the host would wait.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

DEVICE = torch.device("meta")
_COPIES = (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)


class OneDevice(TorchDispatchMode):
    """Refuses tensors on the host inside the block, but for a copy to the device without waiting.

    A tensor without dimensions may stay on the host, as a number may: no kernel waits for it.
    """

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        seen = [out] if func in _COPIES and (kwargs or {}).get("non_blocking") else [args, kwargs]
        for tensor in tree_leaves([seen, out]):
            if isinstance(tensor, Tensor) and tensor.ndim and tensor.device != DEVICE:
                raise AssertionError(f"{func} sees {tuple(tensor.shape)} on {tensor.device}")
        return out


def to_pretended_device(trainer: Any) -> Any:
    """Move what ``build_model`` moves; the optimiser then steps the moved parameters."""
    before = {name: id(p) for name, p in trainer.model.learned().items()}
    for part in (trainer.model, trainer.classification_loss, trainer.objective):
        if isinstance(part, nn.Module):
            part.to(DEVICE)
    trainer.device = DEVICE
    moved = {before[name]: p for name, p in trainer.model.learned().items()}
    for group in trainer.optim.param_groups:
        group["params"] = [moved[id(p)] for p in group["params"]]
    return trainer
