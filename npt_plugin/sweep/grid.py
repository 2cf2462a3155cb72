"""All jobs of a sweep: every combination, less what does not depend on seed, shots and ratio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from npt_plugin.runs.layout import RESULTS, parse
from npt_plugin.runs.record import is_completed
from npt_plugin.runs.units import ZERO_SHOT
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.protocols import VARIANTS, published_config


@dataclass(frozen=True)
class Grid:
    """What a sweep is asked for.

    Attributes:
        datasets: Trained on; where the protocol tests elsewhere, tested on.
        trainers: Registry names.
        seeds: Each 0 or more.
        ratios: tau = n_min / n_max.
        shots: Images of the largest class.
        protocol: Name of the protocol.
        config: Name of a config that every trainer has; empty: each one's published config.
        backbone: ``MODEL.BACKBONE.NAME``; empty: the config's.
        source: Trained on, where the protocol tests elsewhere.
        root: Folder of the datasets.
        output: Top folder of all runs.
        options: Further ``KEY value`` overrides.
    """

    datasets: Sequence[str]
    trainers: Sequence[str]
    seeds: Sequence[int]
    ratios: Sequence[float]
    shots: int = 16
    protocol: str = "base2new"
    config: str = ""
    backbone: str = ""
    source: str = "imagenet"
    root: str = ""
    output: str = "output"
    options: tuple[str, ...] = ()

    def jobs(self) -> list[Job]:
        """The jobs, datasets outermost; the zero-shot reference once for each dataset."""
        sources, targets = self.datasets, tuple[str, ...]()
        if self.protocol in ("xd", "dg"):
            sources, targets = [self.source], tuple(self.datasets)
            if self.protocol == "dg" and not targets:
                targets = VARIANTS
        jobs = dict[Job, None]()  # in order, each once
        for dataset, ratio, seed, trainer in product(
            sources, self.ratios, self.seeds, self.trainers
        ):
            config = self.config or published_config(
                self.protocol, trainer, dataset, self.backbone, self.shots
            )
            job = Job(
                dataset,
                trainer,
                config,
                seed,
                ratio,
                self.shots,
                self.root,
                self.output,
                self.options,
                self.protocol,
                self.backbone,
                targets,
            )
            if trainer == ZERO_SHOT:
                job = _once(replace(job, seed=self.seeds[0], ratio=self.ratios[0]))
            jobs[job] = None
        return list(jobs)


def _once(job: Job) -> Job:
    """The job at the seed, shots and ratio at which it has run already, if it has at any."""
    if job.done():
        return job
    output, place = Path(job.output), job.steps()[0].place
    above = output / place.protocol / place.part / place.dataset
    below = f"shots_*/ratio_*/{place.trainer}/{place.config}/seed*/{RESULTS}"
    for record in sorted(above.glob(below)):
        there = parse(record.parent.relative_to(output))
        if there is not None and is_completed(record.parent):
            found = replace(job, seed=there.seed, ratio=there.ratio, shots=there.shots)
            if found.done():
                return found
    return job
