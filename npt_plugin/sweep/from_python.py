"""Runs from Python, with words of Python: what ``npt train``, ``npt eval`` and ``npt sweep`` do."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from npt_plugin.errors import UserError
from npt_plugin.runs.configs import configs_folder
from npt_plugin.runs.folder import RunFolder
from npt_plugin.runs.settings import Request
from npt_plugin.sweep.grid import Grid
from npt_plugin.sweep.run import perform
from npt_plugin.sweep.workers import run_all


def train(
    trainer: str,
    dataset: str,
    config: str,
    output: str | Path,
    *,
    root: str | Path = "",
    seed: int = 1,
    options: Mapping[str, Any] | None = None,
    quiet: bool = False,
) -> RunFolder:
    """Train one run and test it; one that was interrupted goes on.

    Args:
        trainer: Registry name, such as ``"NPT_CoOp"`` (``npt list trainers``).
        dataset: Name of a yaml file in ``configs/datasets``, or a path.
        config: Name of a yaml file in ``configs/trainers/<trainer>``, or a path.
        output: The run's folder: log, prompts and ``results.json``.
        root: Folder that holds the datasets; empty: ``./data``.
        seed: 0 or more fixes every random choice.
        options: Config keys and their values, such as ``{"DATASET.NUM_SHOTS": 16}``.
        quiet: Print nothing; ``log.txt`` in the run's folder has it all the same.

    Returns:
        The finished run: ``.record`` is its checked ``results.json``.

    Raises:
        UserError: On a mistake in what is asked for, or where ``output`` holds a run with other
            settings; nothing is written then.
    """
    request = _request(trainer, dataset, config, output, root, seed, options)
    return _performed(request, quiet)


def evaluate(
    run: RunFolder | str | Path,
    output: str | Path,
    *,
    dataset: str,
    config: str,
    root: str | Path = "",
    options: Mapping[str, Any] | None = None,
    quiet: bool = False,
) -> RunFolder:
    """Test what a run has learned on other classes or on another dataset.

    Args:
        run: The run, or its folder; the prompts it was tested with are loaded.
        output: Folder of the results.
        dataset, config, root, options, quiet: As for :func:`train`.

    Returns:
        The evaluation, itself a run folder.

    Raises:
        UserError: As :func:`train`, and where ``run`` holds nothing that was trained.
    """
    trained = run if isinstance(run, RunFolder) else RunFolder.open(run)
    record = trained.record
    epoch = None if record.selection == "best_val" else record.epochs  # the best has no number
    asked = _request(record.trainer, dataset, config, output, root, record.seed, options)
    return _performed(asked, quiet, model_dir=str(trained.path), load_epoch=epoch)


def run_sweep(grid: Grid, jobs: int = 0) -> list[RunFolder]:
    """Run all of a grid, several runs at a time; what has completed already stays as it is.

    Args:
        grid: Datasets, trainers, seeds, ratios.
        jobs: Runs at a time; 0: one a core.

    Returns:
        Every run of the grid: trainings and tests, in the order of the grid.

    Raises:
        UserError: On a mistake in the grid (before anything runs), and after all others have
            completed if a run failed; the same call repeats only what failed.
    """
    asked = grid.jobs()
    failed = run_all(asked, configs_folder(), jobs)
    if failed:
        name, reason = next(iter(failed.items()))
        raise UserError(f"{len(failed)} of {len(asked)} runs failed; {name}: {reason}.")
    return [RunFolder.open(step.folder) for job in asked for step in job.steps()]


def _request(
    trainer: str,
    dataset: str,
    config: str,
    output: str | Path,
    root: str | Path,
    seed: int | None,
    options: Mapping[str, Any] | None,
) -> Request:
    if not str(output):
        raise UserError("The run has no output folder: give one.")
    pairs = [part for pair in (options or {}).items() for part in pair]
    return Request(
        trainer=trainer,
        dataset_config_file=dataset,
        config_file=config,
        output_dir=str(output),
        root=str(root),
        seed=seed,
        opts=pairs,
    )


def _performed(request: Request, quiet: bool, **of_evaluation: Any) -> RunFolder:
    """The finished run; the logger that Dassl puts in the place of stdout is taken out again."""
    if of_evaluation:
        request = replace(request, eval_only=True, **of_evaluation)
    with contextlib.redirect_stdout(io.StringIO() if quiet else sys.stdout):
        perform(request)
    return RunFolder.open(request.output_dir)
