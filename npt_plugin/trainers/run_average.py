"""The mean of what several runs of one setting have learned, as one classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from npt_plugin.errors import UserError
from npt_plugin.runs.config_tree import config_difference
from npt_plugin.runs.folder import RunFolder
from npt_plugin.runs.layout import checkpoint_file
from npt_plugin.system.safe_checkpoints import read_checkpoint

States = dict[str, Mapping[str, Tensor]]
"""Name of a run to what it has learned, as in its checkpoint."""


def average_runs(model: Any, runs: Sequence[RunFolder]) -> States:
    """Let a model have the mean of what runs have learned, tensor by tensor.

    Args:
        model: A ``PromptedCLIP`` of the first run.
        runs: Two or more that differ by their seeds alone.

    Returns:
        What each of them has learned.

    Raises:
        UserError: If they are not of one setting, or what they have learned has other shapes.
    """
    _check(runs)
    states: States = {}
    for run in runs:
        directory, epoch = run.checkpoint(type(model))
        file = checkpoint_file(directory, model.checkpoint_name, epoch)
        checkpoint = read_checkpoint(file)
        model.check_classes(checkpoint.get("classnames") or (), str(file))
        model.load_checkpoint_state(checkpoint["state_dict"], str(file))  # refuses other shapes
        states[f"seed {run.record.seed}"] = model.checkpoint_state()
    model.load_checkpoint_state(mean_state(list(states.values())), "the mean of the runs")
    return states


def mean_state(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Mean of every tensor of floats, summed in float64; others are the first state's."""
    first = states[0]
    return {
        name: torch.stack([state[name].double() for state in states]).mean(dim=0).to(tensor.dtype)
        if tensor.is_floating_point()
        else tensor
        for name, tensor in first.items()
    }


def _check(runs: Sequence[RunFolder]) -> None:
    first = runs[0]
    seen: dict[int, RunFolder] = {}
    for run in runs:
        twin = seen.setdefault(run.record.seed, run)
        if twin is not run:
            raise UserError(
                f"{twin.path} and {run.path} both have seed {run.record.seed}: the mean is of runs "
                "with different seeds."
            )
        found = config_difference(first.record.config, run.record.config)
        differing = [line for line in found if not line.startswith("SEED: ")]
        if differing:
            raise UserError(
                f"{first.path} and {run.path} are not of one setting ({'; '.join(differing)}): "
                "the mean is of runs that differ by their seeds alone."
            )
        run.check_classes(first.class_names)
