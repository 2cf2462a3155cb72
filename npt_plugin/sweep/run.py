"""One run, in this process: train or evaluate in its output folder, as its record will say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from npt_plugin.engine.distributed import require_shared
from npt_plugin.engine.framework import build_trainer, setup_logger
from npt_plugin.registration import register_all
from npt_plugin.runs.config_tree import config_text
from npt_plugin.runs.folder import RunFolder
from npt_plugin.runs.layout import CONFIG
from npt_plugin.runs.opening_lines import opening_lines
from npt_plugin.runs.recorder import recorded, refuse_other_results
from npt_plugin.runs.settings import Request, build_cfg
from npt_plugin.system import ranks
from npt_plugin.system.files import write_text
from npt_plugin.system.locks import run_lock
from npt_plugin.system.random_state import seed_everything
from npt_plugin.system.signals import stop_signals
from npt_plugin.trainers.checkpoints import refuse_other_config
from npt_plugin.trainers.progress_file import newest_progress
from npt_plugin.trainers.run_average import average_runs
from npt_plugin.trainers.several import seed_alike
from npt_plugin.trainers.trained_counts import take_trained_counts


def perform(request: Request) -> Any:
    """Train or evaluate what is asked for; returns the trainer.

    Raises:
        UserError: On a mistake in the request, or where its folder holds a run with other
            settings; nothing is written then.
    """
    register_all(base=True)
    return perform_cfg(build_cfg(request), request)


def perform_cfg(
    cfg: Any,
    request: Request,
    check_classes: Callable[[Sequence[str]], None] | None = None,
    average: Sequence[RunFolder] = (),
) -> Any:
    """The same for a config that is there already.

    Args:
        cfg: The frozen config.
        request: What it came from, for the log; ``eval_only``, ``model_dir``, ``load_epoch`` and
            ``no_train`` are followed.
        check_classes: Called with the class names found in the data, before anything is written.
        average: Of an evaluation: runs of which the mean is tested, that in ``model_dir`` first.
    """
    with stop_signals(), begun(cfg, request) as trainer:
        if check_classes is not None:
            check_classes(trainer.classnames)
        if request.eval_only:
            trainer.trained_in = request.model_dir
            take_trained_counts(trainer)
            trainer.load_model(request.model_dir, epoch=request.load_epoch)
            if average:
                trainer.averaged_runs = average_runs(trainer.model, average)
            with recorded(trainer):
                trainer.test()
        elif not request.no_train:
            with recorded(trainer):
                trainer.train()
        return trainer


@contextmanager
def begun(cfg: Any, request: Request) -> Iterator[Any]:
    """A run up to its trainer, in a folder that is locked and logged to.

    Args:
        cfg, request: As for :func:`perform_cfg`.

    Yields:
        The trainer.
    """
    ranks.refuse_unjoined()
    folder = cfg.OUTPUT_DIR if ranks.writes() else ""  # of several processes one writes
    with run_lock(folder):
        refuse_other_results(cfg)
        if not request.eval_only:
            directory = cfg.RESUME or cfg.OUTPUT_DIR
            refuse_other_config(newest_progress(directory), directory, cfg)
        seed_everything(cfg)
        seed_alike(cfg)
        if ranks.writes():
            setup_logger(cfg.OUTPUT_DIR)
        if torch.cuda.is_available() and cfg.USE_CUDA:
            torch.backends.cudnn.benchmark = True
        if folder:
            # written again, for good, with the results
            write_text(Path(folder) / CONFIG, config_text(cfg), sync=False)
        if cfg.OUTPUT_DIR:
            require_shared(Path(cfg.OUTPUT_DIR) / CONFIG)
        print("\n".join(opening_lines(request.located(), cfg)))
        yield build_trainer(cfg)
