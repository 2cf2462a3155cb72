"""Put GNM or SAM around an optimiser if the config asks for it."""

from __future__ import annotations

from torch.optim import Optimizer
from yacs.config import CfgNode

from npt_plugin.errors import UserError
from npt_plugin.optim.gnm import GNM, SCHEDULES
from npt_plugin.optim.noise import noise_seed
from npt_plugin.optim.sam import SAM
from npt_plugin.system.options import in_range, one_of


def wrap_optimizer(cfg: CfgNode, optimizer: Optimizer) -> Optimizer | GNM | SAM:
    """The optimiser itself, or GNM or SAM around it.

    Args:
        cfg: A config with ``OPTIM.GNM`` and ``OPTIM.SAM``; ``OPTIM.MAX_EPOCH``, ``SEED`` and
            ``TRAINER.IMBALANCE_LOSS.DRW_EPOCH`` are read for GNM.
        optimizer: What ``build_optimizer`` gave; the scheduler belongs on this one.

    Returns:
        ``optimizer`` untouched where neither is enabled.

    Raises:
        UserError: If both are enabled, or a key has a value that is not allowed.
    """
    gnm, sam = cfg.OPTIM.GNM, cfg.OPTIM.SAM
    if gnm.ENABLED and sam.ENABLED:
        raise UserError("OPTIM.GNM.ENABLED and OPTIM.SAM.ENABLED are both True; switch one off.")
    if sam.ENABLED:
        return SAM(optimizer, in_range("OPTIM.SAM.RHO", sam.RHO, 0), sam.ADAPTIVE)
    if not gnm.ENABLED:
        return optimizer
    for name in ("RHO", "SCALE"):
        in_range(f"OPTIM.GNM.{name}", gnm[name], 0)
    for name in ("SIGMA", "CLAMP"):
        in_range(f"OPTIM.GNM.{name}", gnm[name], 1e-12)
    return GNM(
        optimizer,
        rho=gnm.RHO,
        scale=gnm.SCALE,
        sigma=gnm.SIGMA,
        clamp=gnm.CLAMP,
        schedule=one_of("OPTIM.GNM.SCHEDULE", gnm.SCHEDULE, SCHEDULES),
        drw_epoch=cfg.TRAINER.IMBALANCE_LOSS.DRW_EPOCH,
        max_epoch=cfg.OPTIM.get("MAX_EPOCH", 1),
        seed=noise_seed(cfg),
    )
