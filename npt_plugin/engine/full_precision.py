"""Let a host's fp32 run be fp32, and its CPU run stay on the CPU.

Public checkouts force parts of their models to half precision (MaPLe: ``proj``, all visual and deep
prompts) or to the GPU (``.cuda()`` in PromptSRC, KgCoOp, VPT), whatever the config says. As long as
such a trainer exists and its config asks for fp32 or a CPU, ``.half()`` and ``.cuda()`` return the
tensor as it is; on a CPU ``.to("cuda")``, ``device="cuda"`` and ``torch.load(map_location="cuda")``
mean the CPU. PyTorch's function mode sees these calls, and ``torch.load`` asks a function of ours;
no method of a tensor is replaced, and no other operation changes.

Where we run a host's script, the CPU is meant from its first line, see ``no_gpu.py``.
"""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch import overrides
from torch.overrides import TorchFunctionMode

from npt_plugin.engine.replaced import added

_BEFORE_TORCHS_OWN = 0  # PyTorch's have priorities from 10

_OURS = "npt_plugin.trainers.base"  # our own trainers ask for precision and device themselves


class IgnoreCasts(TorchFunctionMode):
    """Skips some conversions of tensors.

    Attributes:
        ignored: Tensor methods that return the tensor unchanged. With ``cuda`` among them, whatever
            names a CUDA device gets the CPU.
    """

    def __init__(self) -> None:
        """Start with nothing ignored."""
        super().__init__()
        self.ignored: frozenset[Any] = frozenset()

    def __torch_function__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        """Run ``func``, or hand its tensor back."""
        if func in self.ignored:
            return args[0]
        kwargs = kwargs or {}
        if torch.Tensor.cuda in self.ignored:
            if _is_cuda(kwargs.get("device")):
                kwargs = {**kwargs, "device": "cpu"}
            if func is torch.Tensor.to:
                args = (
                    args[0],
                    *("cpu" if _is_cuda(word) else word for word in args[1:2]),
                    *args[2:],
                )
        return func(*args, **kwargs)


def _is_cuda(device: Any) -> bool:
    """Whether an argument names a CUDA device: "cuda:1", ``torch.device("cuda")`` or a number."""
    if isinstance(device, torch.device):
        return device.type == "cuda"
    if isinstance(device, str):
        return device.split(":")[0] == "cuda"
    return isinstance(device, int) and not isinstance(device, bool)


def _keep_on_cpu(storage: Any, location: str) -> Any:
    """What ``torch.load`` asks where a storage goes: stays, while CUDA devices mean the CPU."""
    active = _mode is not None and torch.Tensor.cuda in _mode.ignored
    return storage if active and _is_cuda(location) else None


_mode: IgnoreCasts | None = None
_always: frozenset[Any] = frozenset()  # ignored without a trainer, too
_alive: set[object] = set()  # a token for each host trainer that still exists


def _enter() -> IgnoreCasts:
    """The mode, entered once; with nothing ignored it does nothing."""
    global _mode
    if _mode is None:
        _mode = IgnoreCasts()
        _mode.__enter__()
        added("torch.overrides: a function mode", _leave)
        torch.serialization.register_package(_BEFORE_TORCHS_OWN, lambda storage: None, _keep_on_cpu)
        added("torch.serialization: where storages go", _forget_storages)
    return _mode


def _leave() -> None:
    """Take the mode out of this thread's stack, wherever in it it is."""
    global _mode, _always
    mode, _mode, _always = _mode, None, frozenset()
    if mode is None or mode not in overrides._get_current_function_mode_stack():
        return
    above = []
    while (top := overrides._pop_mode()) is not mode:
        above.append(top)
    for other in reversed(above):
        overrides._push_mode(other)


def _forget_storages() -> None:
    registry = torch.serialization._package_registry
    registry[:] = [entry for entry in registry if entry[2] is not _keep_on_cpu]


def ignore_from_now_on(casts: frozenset[Any]) -> None:
    """Ignore conversions before any trainer exists and after the last.

    Args:
        casts: Tensor methods, as ``IgnoreCasts.ignored``.
    """
    global _always
    _always = casts
    mode = _enter()
    mode.ignored |= casts


def wanted_precision(cfg: Any) -> str:
    """``PREC`` of a host's run, "" where the config has none.

    The node is called as the trainer; methods built on CoOp (KgCoOp, ProGrad) use CoOp's.
    """
    name = cfg.TRAINER.NAME.upper().replace("NPT_", "").replace("NPT-", "")
    for key in (name, "COOP"):
        node = cfg.TRAINER.get(key)
        if node is not None and "PREC" in node:
            return node.PREC
    return ""


def ignored_casts(cfg: Any) -> frozenset[Any]:
    """The conversions that contradict a host's config on this machine.

    On a CPU: both, since fp16 and amp have no fast kernels there and run as fp32. On a GPU: half,
    if ``PREC`` is fp32.
    """
    if not (torch.cuda.is_available() and cfg.USE_CUDA):
        return frozenset({torch.Tensor.half, torch.Tensor.cuda})
    return frozenset({torch.Tensor.half} if wanted_precision(cfg) == "fp32" else ())


def follow_config(cfg: Any, trainer: Any) -> None:
    """Ignore what contradicts ``cfg`` until no host's trainer is left.

    Replaces what an earlier trainer needed.

    Args:
        cfg: The host's config.
        trainer: Its trainer, about to be built.
    """
    ignored = ignored_casts(cfg) | _always
    if ignored:
        _enter()
    if _mode is not None:
        _mode.ignored = ignored
    token = object()
    _alive.add(token)
    weakref.finalize(trainer, _gone, token)


def _gone(token: object) -> None:
    """One host's trainer less; after the last nothing is ignored on its account."""
    _alive.discard(token)
    if _mode is not None and not _alive:
        _mode.ignored = _always


def trainer_built(trainer: Any, cfg: Any) -> None:
    """Follow the config of a host's trainer; the engine calls it before each trainer is built."""
    if not any(cls.__module__ == _OURS for cls in type(trainer).__mro__):
        follow_config(cfg, trainer)
