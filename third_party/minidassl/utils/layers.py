"""Freeze, count, initialise and load the parameters of a model."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable

import torch
from torch import nn

from minidassl.utils.checkpoints import load_checkpoint


def _set_trainable(module: nn.Module, trainable: bool) -> None:
    module.train(trainable)
    module.requires_grad_(trainable)


def set_bn_to_eval(m: nn.Module) -> None:
    """Stop a batch-norm layer from updating its statistics; for ``model.apply``.

    Args:
        m: Any module; others than batch norm are left alone.
    """
    if "BatchNorm" in type(m).__name__:
        m.eval()


def open_all_layers(model: nn.Module) -> None:
    """Make every parameter trainable and put the model into training mode.

    Args:
        model: The model.
    """
    _set_trainable(model, True)


def open_specified_layers(model: nn.Module, open_layers: str | Iterable[str]) -> None:
    """Train some direct children of a model and freeze the others.

    Args:
        model: The model, possibly inside data parallelism.
        open_layers: Name or names of the children to train.

    Raises:
        AssertionError: A name is not an attribute of the model.
    """
    model = model.module if isinstance(model, nn.DataParallel) else model
    wanted = {open_layers} if isinstance(open_layers, str) else set(open_layers)
    absent = sorted(name for name in wanted if not hasattr(model, name))
    if absent:
        raise AssertionError(f"{type(model).__name__} has no layer named {', '.join(absent)}")
    for name, child in model.named_children():
        _set_trainable(child, name in wanted)


def count_num_param(
    model: nn.Module | None = None, params: Iterable[torch.Tensor | dict] | None = None
) -> int:
    """Count scalars in the parameters of a model, or in parameters or groups of one.

    Args:
        model: Counted when given.
        params: Tensors, or dictionaries whose ``params`` is one tensor or several.

    Returns:
        Number of scalars.

    Raises:
        ValueError: Neither was given.
    """
    if model is not None:
        params = model.parameters()
    if params is None:
        raise ValueError("count_num_param needs a model or params.")
    total = 0
    for entry in params:
        tensors = entry["params"] if isinstance(entry, dict) else entry
        tensors = [tensors] if isinstance(tensors, torch.Tensor) else tensors
        total += sum(tensor.numel() for tensor in tensors)
    return total


def load_pretrained_weights(model: nn.Module, weight_path: str) -> None:
    """Copy into a model those saved tensors whose name and shape fit.

    Args:
        model: Receives the weights.
        weight_path: A checkpoint with ``state_dict``, or a bare state dictionary.
    """
    loaded = load_checkpoint(weight_path)
    loaded = loaded.get("state_dict", loaded)
    own = model.state_dict()
    fitting, discarded = {}, []
    for key, value in loaded.items():
        name = key.removeprefix("module.")
        if name in own and own[name].shape == value.shape:
            fitting[name] = value
        else:
            discarded.append(name)
    if not fitting:
        warnings.warn(
            f"Cannot load {weight_path}: none of its tensors has a name and shape of the model",
            stacklevel=2,
        )
        return
    model.load_state_dict({**own, **fitting})
    print(f"Successfully loaded pretrained weights from {weight_path}")
    if discarded:
        print(f"Layers discarded due to unmatched keys or size: {discarded}")


_WEIGHT_INIT: dict[str, Callable[[torch.Tensor, float], object]] = {
    "normal": lambda weight, gain: nn.init.normal_(weight, 0.0, gain),
    "xavier": lambda weight, gain: nn.init.xavier_normal_(weight, gain=gain),
    "kaiming": lambda weight, gain: nn.init.kaiming_normal_(weight, a=0, mode="fan_in"),
    "orthogonal": lambda weight, gain: nn.init.orthogonal_(weight, gain=gain),
}


def init_network_weights(model: nn.Module, init_type: str = "normal", gain: float = 0.02) -> None:
    """Draw new weights for convolutions and linear layers; reset norms to identity.

    Args:
        model: The model.
        init_type: Normal, xavier, kaiming or orthogonal.
        gain: Standard deviation or gain of the draw.

    Raises:
        NotImplementedError: Another ``init_type``.
    """
    if init_type not in _WEIGHT_INIT:
        raise NotImplementedError(f"init_type is {init_type!r}; allowed are {list(_WEIGHT_INIT)}")

    def reset(module: nn.Module) -> None:
        kind = type(module).__name__
        weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
        if weight is None:
            return
        if "Conv" in kind or "Linear" in kind:
            _WEIGHT_INIT[init_type](weight, gain)
        elif "BatchNorm" in kind or "InstanceNorm" in kind:
            nn.init.ones_(weight)
        else:
            return
        if bias is not None:
            nn.init.zeros_(bias)

    model.apply(reset)
