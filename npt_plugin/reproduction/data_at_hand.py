"""Which datasets of a table are on this machine, and whether they are the published ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from npt_plugin.datasets.archives import Counts
from npt_plugin.datasets.catalogue import CATALOGUE
from npt_plugin.datasets.choice_record import source_hash
from npt_plugin.datasets.names import reader
from npt_plugin.datasets.verify import load_source, verify
from npt_plugin.errors import UserError
from npt_plugin.runs.configs import dataset_config
from npt_plugin.runs.settings import Request, build_cfg
from npt_plugin.sweep.job import Job


@dataclass(frozen=True)
class Verified:
    """What was found of one dataset.

    Attributes:
        there: Whether it can be read.
        split: The first 12 hex digits of the hash over the split.
        counts: Classes and images of each part, in words.
        as_published: Whether these are the published counts; None: they are not known here.
        problems: Missing files and other problems, as ``npt data verify`` counts them.
    """

    there: bool
    split: str = ""
    counts: str = ""
    as_published: bool | None = None
    problems: int = 0


def verify_datasets(jobs: Sequence[Job], configs: Path) -> dict[str, Verified]:
    """Every dataset that the jobs train or test on; images are looked for, not decoded."""
    names = dict.fromkeys(name for job in jobs for name in (job.dataset, *job.targets))
    return {name: _verified(name, jobs[0].root, configs) for name in names}


def _verified(name: str, root: str, configs: Path) -> Verified:
    cfg = build_cfg(Request("ZeroshotCLIP", str(dataset_config(name, configs)), root=root))
    registered = cfg.DATASET.NAME
    try:
        source = load_source(reader(registered), cfg)
    except (UserError, FileNotFoundError):
        return Verified(there=False)
    found = Counts(len(source.classnames), len(source.train), len(source.val), len(source.test))
    known = CATALOGUE[registered].counts if registered in CATALOGUE else None
    _, problems = verify(source, decode_images=False)
    return Verified(
        there=True,
        split=source_hash(source)[:12],
        counts=str(found),
        as_published=None if known is None else found == known,
        problems=sum(problem.number for problem in problems),
    )


def with_data(jobs: Sequence[Job], verified: dict[str, Verified]) -> list[Job]:
    """The jobs whose training data are there, each with the targets that are there."""
    kept = []
    for job in jobs:
        targets = tuple(name for name in job.targets if verified[name].there)
        if verified[job.dataset].there and (targets or not job.targets):
            kept.append(replace(job, targets=targets))
    return kept
