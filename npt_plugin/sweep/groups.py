"""Which jobs of a sweep can train in one pass."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from itertools import pairwise
from pathlib import Path

from npt_plugin.engine.framework import TRAINER_REGISTRY
from npt_plugin.registration import register_all
from npt_plugin.runs.settings import build_cfg
from npt_plugin.sweep.job import Job
from npt_plugin.trainers.stacked_step import can_stack

MOST = 12
"""Runs of a group: with more a step costs a run no less, and all of them are in memory."""

LEAST = 3
"""Runs of a group that is divided so that no worker is idle: with fewer little is saved."""


def groups(
    jobs: Sequence[Job], configs: Path, workers: int = 1, most: int = MOST
) -> list[list[Job]]:
    """Divide jobs into groups whose first runs train together, in the order of the jobs.

    What a group has in common are the frozen CLIP, the classes, the shape of the prompts and the
    number of steps. Seeds, losses, the terms of NPT and learning rates may differ.

    Args:
        jobs: All of a sweep, so that the groups do not depend on what is done already.
        configs: Folder of the yaml files.
        workers: How many take groups, as they get done; towards the end groups become smaller, to
            ``LEAST`` jobs, so that all workers end at about the same time.
        most: Jobs of a group.
    """
    register_all(base=True)
    alike: dict[Hashable, list[Job]] = {}
    for job in jobs:
        alike.setdefault(_key(job, configs), []).append(job)
    found, left = [], len(jobs)
    for some in alike.values():
        size = math.ceil(left / workers) if workers > 1 else most
        wanted = min(math.ceil(len(some) / size), len(some) // LEAST)
        parts = max(math.ceil(len(some) / most), wanted)
        found += _divided(some, parts)
        left -= len(some)
    return found


def _divided(jobs: Sequence[Job], parts: int) -> list[list[Job]]:
    """Parts of the same size, or one job more."""
    ends = [len(jobs) * part // parts for part in range(parts + 1)]
    return [list(jobs[i:j]) for i, j in pairwise(ends)]


def _key(job: Job, configs: Path) -> Hashable:
    """Equal where jobs can train together."""
    step = job.steps()[0]
    if not step.part.trains:
        return job
    cfg = build_cfg(step.request(configs))
    model = getattr(TRAINER_REGISTRY.get(cfg.TRAINER.NAME), "model_class", None)
    if model is None or not can_stack(model) or cfg.OPTIM.SAM.ENABLED or cfg.SEED < 0:
        return job
    data, steps = cfg.DATASET, cfg.TRAIN.STEPS
    if not steps:  # they follow the images
        per_epoch = (job.ratio, job.shots, cfg.DATALOADER.TRAIN_X.BATCH_SIZE, str(data.IMBALANCE))
        steps = (cfg.OPTIM.MAX_EPOCH, *per_epoch)
    clip = (str(cfg.MODEL.BACKBONE), cfg.MODEL.CLIP_WEIGHTS, cfg.USE_CUDA)
    classes = (data.NAME, data.ROOT, data.SUBSAMPLE_CLASSES)
    return model, str(cfg.TRAINER[model.prec_node]), clip, classes, steps
