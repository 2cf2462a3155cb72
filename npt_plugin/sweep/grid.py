"""All jobs of a sweep: every combination, less what does not depend on seed, shots and ratio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from npt_plugin.errors import UserError
from npt_plugin.runs.layout import RESULTS, parse
from npt_plugin.runs.record import is_completed
from npt_plugin.runs.units import ZERO_SHOT
from npt_plugin.runs.variants import Method
from npt_plugin.sweep.dataset_groups import with_groups
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.protocols import VARIANTS, protocol_named, published_config


@dataclass(frozen=True)
class Grid:
    """What a sweep is asked for.

    Attributes:
        datasets: Trained on; where the protocol tests elsewhere, tested on. A word of
            :data:`~npt_plugin.sweep.dataset_groups.GROUPS` stands for all of its datasets.
        trainers: Registry names, each with its settings if it is a variant
            (:class:`~npt_plugin.runs.variants.Method`).
        seeds: Each 0 or more.
        ratios: tau = n_min / n_max.
        shots: Images of the largest class: a number, or several.
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
    shots: int | Sequence[int] = 16
    protocol: str = "base2new"
    config: str = ""
    backbone: str = ""
    source: str = "imagenet"
    root: str = ""
    output: str = "output"
    options: tuple[str, ...] = ()

    def jobs(self) -> list[Job]:
        """The jobs, datasets outermost; the zero-shot reference once for each dataset.

        Raises:
            UserError: On an unknown protocol, a variant that cannot be read, or several ratios or
                shots where the protocol has neither.
        """
        protocol = protocol_named(self.protocol)
        all_shots = [self.shots] if isinstance(self.shots, int) else list(self.shots)
        if not protocol.samples and len(self.ratios) * len(all_shots) > 1:
            raise UserError(
                f"{protocol.name} trains on each dataset as it is: give one ratio and one number "
                "of shots (another imbalance is a setting, --opts DATASET.IMBALANCE.RATIO 0.02)."
            )
        sources, targets = with_groups(self.datasets), tuple[str, ...]()
        if self.protocol in ("xd", "dg"):
            sources, targets = [self.source], tuple(sources)
            if self.protocol == "dg" and not targets:
                targets = VARIANTS
        methods = [Method.parse(word) for word in self.trainers]
        jobs = dict[Job, None]()  # in order, each once
        for dataset, shots, ratio, seed, method in product(
            sources, all_shots, self.ratios, self.seeds, methods
        ):
            trainer, backbone = method.trainer, self.backbone
            job = Job(
                dataset=dataset,
                trainer=trainer,
                config=self.config
                or published_config(self.protocol, trainer, dataset, backbone, shots),
                seed=seed,
                ratio=ratio,
                shots=shots,
                root=self.root,
                output=self.output,
                options=self.options,
                protocol=self.protocol,
                backbone=backbone,
                targets=targets,
                settings=method.settings,
            )
            if trainer == ZERO_SHOT:
                first = replace(job, shots=all_shots[0], ratio=self.ratios[0], seed=self.seeds[0])
                job = _once(first)
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
