"""``npt sweep --plan``: what the table will take, measured on a few steps; nothing is run."""

from __future__ import annotations

import datetime
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch

from npt_plugin.registration import register_all
from npt_plugin.sweep.estimate import Estimate, Method, estimate, method_of
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.mistakes import refuse_mistakes
from npt_plugin.sweep.pace import Pace, measure
from npt_plugin.system.processor import instruction_set, processor_name
from npt_plugin.system.progress import progress


def print_plan(jobs: Sequence[Job], configs: Path, workers: int) -> None:
    """Measure each method on drawn images, and print what all jobs take.

    Args:
        jobs: All of a sweep.
        configs: Folder of the yaml files.
        workers: Workers that will share the jobs.

    Raises:
        UserError: On a mistake anywhere in the sweep.
    """
    register_all(base=True)
    refuse_mistakes(jobs, configs)
    methods = {method_of(job): job for job in jobs}
    paces: dict[Method, Pace] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for method, job in progress(methods.items(), desc="measuring", unit="method"):
            paces[method] = measure(job, configs, Path(scratch))
    found = estimate(jobs, configs, lambda job: paces[method_of(job)])
    print("\n".join(_lines(jobs, found, paces, workers)))


def _lines(
    jobs: Sequence[Job], found: Estimate, paces: dict[Method, Pace], workers: int
) -> list[str]:
    trainers = Counter(str(job.method) for job in jobs)
    each = ", ".join(f"{name} {count}" for name, count in trainers.items())
    device = (
        torch.cuda.get_device_name()
        if torch.cuda.is_available()
        else f"{processor_name() or 'processor'}, {instruction_set()}"
    )
    once, often = found.shared
    lines = [
        f"Jobs: {len(jobs)} ({each}); {len(jobs) - found.jobs} completed already",
        f"To do: {found.runs} runs, {found.steps:,} optimiser steps",
        f"Shared: features of {once:,} test images are computed, and read for the other "
        f"{often - once:,}",
        f"Estimate on this machine ({device}): training {_clock(found.training)}, testing "
        f"{_clock(found.testing)}, preparing {_clock(found.starting)} of one device",
        f"With {workers} worker{'s' * (workers > 1)}: about {_clock(found.seconds / workers)}",
        f"Disk: about {found.disk / 2**30:.1f} GB; memory: about {found.memory / 1024:.1f} GB a "
        "worker",
    ]
    for (trainer, config, _), pace in paces.items():
        if not pace.learned:
            continue
        few, many = pace.classes
        lines.append(
            f"  measured: {trainer} {config}: a step of {pace.batch} images "
            f"{pace.step_at(few):.3g} s with {few} classes, {pace.step_at(many):.3g} s with {many}"
        )
    if found.unknown:
        lines.append(
            f"Not counted, for their size is not known here: {', '.join(found.unknown)} (put the "
            "data under --root)"
        )
    return [*lines, "Nothing was run."]


def _clock(seconds: float) -> str:
    return str(datetime.timedelta(seconds=round(seconds)))
