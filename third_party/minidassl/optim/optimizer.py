"""Optimisers by config name."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from yacs.config import CfgNode

from minidassl.errors import ConfigError

_BUILDERS: dict[str, tuple[type[torch.optim.Optimizer], Callable[[CfgNode], dict[str, Any]]]] = {
    "adam": (torch.optim.Adam, lambda c: {"betas": _betas(c)}),
    "amsgrad": (torch.optim.Adam, lambda c: {"betas": _betas(c), "amsgrad": True}),
    "adamw": (torch.optim.AdamW, lambda c: {"betas": _betas(c)}),
    # weight decay apart from the gradient is what Dassl's own RAdam does
    "radam": (torch.optim.RAdam, lambda c: {"betas": _betas(c), "decoupled_weight_decay": True}),
    "rmsprop": (torch.optim.RMSprop, lambda c: {"momentum": c.MOMENTUM, "alpha": c.RMSPROP_ALPHA}),
    "sgd": (
        torch.optim.SGD,
        lambda c: {"momentum": c.MOMENTUM, "dampening": c.SGD_DAMPNING, "nesterov": c.SGD_NESTEROV},
    ),
}

AVAI_OPTIMS = list(_BUILDERS)


def _betas(optim_cfg: CfgNode) -> tuple[float, float]:
    return optim_cfg.ADAM_BETA1, optim_cfg.ADAM_BETA2


def _staged_groups(model: nn.Module, optim_cfg: CfgNode) -> list[dict[str, Any]]:
    """Split a model's children into old layers with a smaller rate and new ones."""
    if not isinstance(model, nn.Module):
        raise TypeError("OPTIM.STAGED_LR needs a module, to know its layers by name.")
    model = model.module if isinstance(model, nn.DataParallel) else model
    names = optim_cfg.NEW_LAYERS
    new_names = {names} if isinstance(names, str) else set(names)
    old: list[nn.Parameter] = []
    new: list[nn.Parameter] = []
    for name, child in model.named_children():
        (new if name in new_names else old).extend(child.parameters())
    return [{"params": old, "lr": optim_cfg.LR * optim_cfg.BASE_LR_MULT}, {"params": new}]


def build_optimizer(
    model: nn.Module | Iterable[nn.Parameter],
    optim_cfg: CfgNode,
    param_groups: Iterable | None = None,
) -> torch.optim.Optimizer:
    """Make the optimiser that ``cfg.OPTIM`` names.

    Args:
        model: A module, or an iterable of parameters or parameter groups.
        optim_cfg: The ``OPTIM`` section.
        param_groups: Optimised instead of ``model`` when given.

    Returns:
        A torch optimiser.

    Raises:
        ConfigError: (a ValueError) unknown ``OPTIM.NAME``.
        TypeError: ``OPTIM.STAGED_LR`` without a module.
    """
    if optim_cfg.NAME not in _BUILDERS:
        raise ConfigError(f"OPTIM.NAME is {optim_cfg.NAME!r}; allowed are {AVAI_OPTIMS}.")
    if param_groups is not None:
        if optim_cfg.STAGED_LR:
            warnings.warn("OPTIM.STAGED_LR has no effect on given param_groups", stacklevel=2)
        params = param_groups
    elif optim_cfg.STAGED_LR:
        params = _staged_groups(model, optim_cfg)
    else:
        params = model.parameters() if isinstance(model, nn.Module) else model
    kind, options = _BUILDERS[optim_cfg.NAME]
    return kind(params, lr=optim_cfg.LR, weight_decay=optim_cfg.WEIGHT_DECAY, **options(optim_cfg))
