"""See what a host does in a training step, without changing it: its losses, its parsed batches."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any

import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

_LOSSES = (F.cross_entropy, F.nll_loss)
_ENGINES = ("npt_plugin", "dassl", "minidassl", "builtins", "abc")
_STEP = "forward_backward"


class WatchLosses(TorchFunctionMode):
    """Reports calls of ``cross_entropy`` and ``nll_loss``, also through their modules.

    Args:
        seen: Called with scores, targets and the loss.
        computed: If given, called with any other function, its positional arguments and result.
    """

    def __init__(
        self,
        seen: Callable[[Tensor, Any, Tensor], None],
        computed: Callable[[Callable, tuple, Any], None] | None = None,
    ) -> None:
        super().__init__()
        self.seen, self.computed = seen, computed

    def __torch_function__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        """Run ``func`` and report it."""
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if func in _LOSSES:
            scores = args[0] if args else kwargs["input"]
            target = args[1] if len(args) > 1 else kwargs["target"]
            self.seen(scores, target, result)
        elif self.computed is not None:
            self.computed(func, args, result)
        return result


def watch_parsing(trainer: Any, returned: Callable[[tuple, Any], None]) -> None:
    """Report what the host's own methods return, whatever their names.

    Args:
        trainer: Its methods are covered on this object alone.
        returned: Called with the arguments of each call and its result.
    """
    names = {"parse_batch_train"}
    for cls in type(trainer).__mro__:
        if cls.__module__.split(".")[0] not in _ENGINES:
            names |= {n for n, member in vars(cls).items() if isinstance(member, FunctionType)}
    for name in names:
        if name != _STEP and not name.startswith("__"):
            setattr(trainer, name, _reporting(getattr(trainer, name), returned))


def _reporting(method: Callable, returned: Callable[[tuple, Any], None]) -> Callable:
    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        result = method(*args, **kwargs)
        returned((*args, *kwargs.values()), result)
        return result

    return call
