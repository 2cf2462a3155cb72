"""What autograd keeps for backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def kept_bytes(function: Callable[[], Any]) -> tuple[int, Any]:
    """Bytes autograd keeps for backward while ``function`` runs, and what it returns."""
    kept = {}

    def note(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        result = function()
    return sum(kept.values()), result
