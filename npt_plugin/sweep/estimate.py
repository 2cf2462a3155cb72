"""What a sweep will take, before it starts: runs, steps, hours and gigabytes, as an estimate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from npt_plugin.datasets.catalogue import CATALOGUE
from npt_plugin.datasets.class_halves import labels_of
from npt_plugin.datasets.imbalance import class_sizes
from npt_plugin.datasets.names import PREFIX, reader
from npt_plugin.errors import UserError
from npt_plugin.runs.configs import dataset_config
from npt_plugin.runs.settings import Request, build_cfg
from npt_plugin.sweep.job import Job, Step
from npt_plugin.sweep.pace import Pace

Method = tuple[str, str, tuple[Any, ...]]
"""What has one pace: trainer, config, settings and options."""


@dataclass(frozen=True)
class Size:
    """Classes of a dataset, training images (``even``: before the imbalance), test images."""

    classes: int
    train: int
    even: int
    test: int


@dataclass
class Estimate:
    """What jobs will take.

    Attributes:
        jobs: How many have not completed.
        runs: Trainings and tests of these.
        steps: Optimiser steps.
        training, testing, starting: Seconds.
        shared: Test images whose features several runs share: encoded once, instead of so often.
        disk: Bytes of results, predictions and checkpoints.
        memory: MiB of the largest worker.
        unknown: Datasets whose size is not known; their runs are not counted in time.
    """

    jobs: int = 0
    runs: int = 0
    steps: int = 0
    training: float = 0.0
    testing: float = 0.0
    starting: float = 0.0
    shared: tuple[int, int] = (0, 0)
    disk: float = 0.0
    memory: float = 0.0
    unknown: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Of one device."""
        return self.training + self.testing + self.starting


def method_of(job: Job) -> Method:
    """What decides a job's pace."""
    return job.trainer, job.config, (*job.options, *job.method.options, job.backbone)


def estimate(jobs: Sequence[Job], configs: Path, pace: Callable[[Job], Pace]) -> Estimate:
    """Add up what the jobs take that have not completed.

    Args:
        jobs: All of a sweep.
        configs: Folder of the yaml files.
        pace: How fast a job's method is here.

    Returns:
        Sums over all jobs; hours on one device.
    """
    total, encoded = Estimate(), Counter[tuple[str, str, str]]()
    config_of = lru_cache(None)(lambda job: build_cfg(job.steps()[0].request(configs)))
    images: dict[tuple[str, str, str], tuple[int, float]] = {}
    for job in jobs:
        steps = [step for step in job.steps() if not step.finished(configs)]
        if not steps:
            continue
        total.jobs, total.runs = total.jobs + 1, total.runs + len(steps)
        known = pace(job)
        total.memory = max(total.memory, known.mib)
        for step in steps:
            size = size_of(step.dataset, job.root, configs)
            if size is None:
                total.unknown += [step.dataset] if step.dataset not in total.unknown else []
                continue
            cfg = config_of(replace(job, seed=0))  # of all seeds
            classes, share = _part(step, size)
            tested = round(size.test * share)
            total.disk += tested * (classes + known.width) * 4 + known.learned * 12
            if step.part.trains:
                taken = _steps(cfg, classes, size, known.batch) if known.learned else 0
                total.steps += taken
                total.training += taken * known.step_at(classes)
            seconds = tested * known.image_at(classes)
            key = (job.backbone or cfg.MODEL.BACKBONE.NAME, step.dataset, step.part.classes)
            if known.frozen:
                encoded[key] += tested
                images[key] = (tested, seconds)
            else:
                total.testing += seconds
        total.starting += known.start / 10  # a staying worker imports and loads CLIP once
    total.testing += sum(seconds for _, seconds in images.values())
    total.shared = (sum(tested for tested, _ in images.values()), sum(encoded.values()))
    return total


def _part(step: Step, size: Size) -> tuple[int, float]:
    """Classes of a run, and its share of the dataset's images."""
    classes = len(labels_of(step.part.classes or "all", size.classes))
    return classes, classes / size.classes


def _steps(cfg: Any, classes: int, size: Size, batch: int) -> int:
    """Optimiser steps of a training."""
    if cfg.TRAIN.STEPS > 0:
        return int(cfg.TRAIN.STEPS)
    shots, even = cfg.DATASET.NUM_SHOTS, cfg.TRAIN.STEPS == -1
    if shots < 1:  # the set as its yaml file has it
        images = round((size.even if even else size.train) * classes / size.classes)
    else:
        images = sum(class_sizes(classes, shots, 1.0 if even else cfg.DATASET.IMBALANCE.RATIO))
    return int(max(images // batch, 1) * cfg.OPTIM.MAX_EPOCH)


@lru_cache
def size_of(dataset: str, root: str, configs: Path) -> Size | None:
    """Size of a dataset: of the copy on this machine, else as published; None if neither is known.

    Args:
        dataset: Name of its yaml file.
        root: Folder of the datasets.
        configs: Folder of the yaml files.
    """
    request = Request("CoOp", str(dataset_config(dataset, configs)), root=root)
    cfg = build_cfg(request)
    name = cfg.DATASET.NAME.removeprefix(PREFIX)
    try:
        made = reader(name)(cfg)
    except (UserError, KeyError):
        counts = CATALOGUE[name].counts if name in CATALOGUE else None
        if counts is None:
            return None
        return Size(counts.classes, counts.train, counts.train, counts.test)
    return Size(made.num_classes, len(made.train_x), made.balanced_images, len(made.test))
