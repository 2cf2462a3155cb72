"""Several runs in this process at the same time, through one frozen text tower."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from npt_plugin.errors import UserError
from npt_plugin.registration import register_all
from npt_plugin.runs.recorder import recorded
from npt_plugin.runs.settings import Request, build_cfg
from npt_plugin.sweep.run import begun
from npt_plugin.system.signals import stop_signals
from npt_plugin.trainers.shared_towers import SharedTowers
from npt_plugin.trainers.together import Life, train_together, training


def perform_together(requests: Sequence[Request]) -> list[Exception | None]:
    """Train what is asked for in one pass, each run in its own folder.

    Every run has the results of the same run alone, up to rounding; it goes on from where either
    way of training has left it. One that fails leaves the others alone.

    Args:
        requests: Trainings.

    Returns:
        What ended each of them; None: it has completed.
    """
    register_all(base=True)
    towers = SharedTowers()
    with stop_signals():
        return train_together([_life(request, towers) for request in requests])


def _life(request: Request, towers: SharedTowers) -> Life:
    console = sys.stdout
    try:
        cfg = build_cfg(request)
        if cfg.SEED < 0:
            raise UserError("SEED is below 0, so this run would draw what its companions draw.")
        with begun(cfg, request) as trainer, recorded(trainer):
            towers.give(trainer.model)
            yield from training(trainer)
    finally:
        if sys.stdout is not console:  # Dassl's logger stands in for it
            sys.stdout.close()
        sys.stdout = console
