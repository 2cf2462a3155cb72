"""Learning-rate schedules by config name."""

from __future__ import annotations

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from yacs.config import CfgNode

from minidassl.errors import ConfigError
from minidassl.optim.warmup import PlainCosineLR, PlainMultiStepLR, PlainStepLR, WarmUp


def _single_step(optimizer: Optimizer, optim_cfg: CfgNode) -> LRScheduler:
    size = optim_cfg.STEPSIZE
    size = size[-1] if isinstance(size, (list, tuple)) else size
    if not isinstance(size, int):
        raise TypeError(f"OPTIM.STEPSIZE must be whole epochs for single_step, not {size!r}.")
    epochs = size if size > 0 else optim_cfg.MAX_EPOCH
    return PlainStepLR(optimizer, step_size=epochs, gamma=optim_cfg.GAMMA)


def _multi_step(optimizer: Optimizer, optim_cfg: CfgNode) -> LRScheduler:
    if not isinstance(optim_cfg.STEPSIZE, (list, tuple)):
        raise TypeError(
            f"OPTIM.STEPSIZE must be a list for multi_step, not {optim_cfg.STEPSIZE!r}."
        )
    return PlainMultiStepLR(optimizer, milestones=optim_cfg.STEPSIZE, gamma=optim_cfg.GAMMA)


def _cosine(optimizer: Optimizer, optim_cfg: CfgNode) -> LRScheduler:
    return PlainCosineLR(optimizer, float(optim_cfg.MAX_EPOCH))


_SCHEDULES = {"single_step": _single_step, "multi_step": _multi_step, "cosine": _cosine}
_FIRST_LR_KEY = {"constant": "WARMUP_CONS_LR", "linear": "WARMUP_MIN_LR"}

AVAI_SCHEDS = list(_SCHEDULES)


def build_lr_scheduler(optimizer: Optimizer, optim_cfg: CfgNode) -> LRScheduler:
    """Make the schedule that ``cfg.OPTIM`` names, with its warm-up; step it once an epoch.

    Args:
        optimizer: Whose rates to set.
        optim_cfg: The ``OPTIM`` section.

    Returns:
        A scheduler whose ``state_dict`` is plain data.

    Raises:
        ConfigError: (a ValueError) unknown schedule or warm-up type.
        TypeError: ``OPTIM.STEPSIZE`` does not fit the schedule.
    """
    if optim_cfg.LR_SCHEDULER not in _SCHEDULES:
        raise ConfigError(
            f"OPTIM.LR_SCHEDULER is {optim_cfg.LR_SCHEDULER!r}; allowed are {AVAI_SCHEDS}."
        )
    schedule = _SCHEDULES[optim_cfg.LR_SCHEDULER](optimizer, optim_cfg)
    if optim_cfg.WARMUP_EPOCH <= 0:
        return schedule
    if optim_cfg.WARMUP_TYPE not in _FIRST_LR_KEY:
        raise ConfigError(
            f"OPTIM.WARMUP_TYPE is {optim_cfg.WARMUP_TYPE!r}; allowed are {list(_FIRST_LR_KEY)}."
        )
    if not optim_cfg.WARMUP_RECOUNT:
        schedule.last_epoch = optim_cfg.WARMUP_EPOCH
    return WarmUp(
        optimizer,
        after=schedule,
        epochs=optim_cfg.WARMUP_EPOCH,
        first_lr=optim_cfg[_FIRST_LR_KEY[optim_cfg.WARMUP_TYPE]],
        linear=optim_cfg.WARMUP_TYPE == "linear",
    )
