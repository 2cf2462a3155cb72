"""Accuracy of base-to-new runs on the drawn benchmarks, and paired differences of settings."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from npt_plugin.embedded.benchmarks import BENCHMARKS, ensure_benchmarks
from npt_plugin.evaluation.averages import interval, mean_and_sd
from npt_plugin.runs.configs import configs_folder
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.workers import run_all


def parser(about: str, output: str, datasets: Sequence[str], seeds: Sequence[int]) -> Any:
    """The flags that the accuracy benchmarks share, with their defaults."""
    p = argparse.ArgumentParser(description=about)
    p.add_argument("--root", default="data")
    p.add_argument("--output", default=output)
    p.add_argument("--datasets", nargs="+", default=list(datasets))
    p.add_argument("--seeds", nargs="+", type=int, default=list(seeds))
    p.add_argument("--steps", type=int, default=400, help="optimiser steps of every CoOp run")
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    p.add_argument("--out", default="", help="also write the numbers here")
    return p


def run(jobs: Sequence[Job], args: argparse.Namespace) -> bool:
    """Draw the datasets, run the jobs that are not complete; False, with reasons, if one failed."""
    datasets = {job.dataset for job in jobs}
    ensure_benchmarks(args.root, [n for n, s in BENCHMARKS.items() if s.directory in datasets])
    failed = run_all(list(jobs), configs_folder(), args.jobs)
    for name, reason in failed.items():
        print(f"failed: {name}: {reason}", file=sys.stderr)
    return not failed


def halves(jobs: Sequence[Job]) -> dict[str, list[float]]:
    """Accuracies in per cent of completed jobs, on the base and on the new classes."""
    parts = {"base": "train", "new": "new"}
    return {
        half: [read_record(job.folder(part) / RESULTS).metrics["accuracy"] for job in jobs]
        for half, part in parts.items()
    }


def cell(values: Sequence[float]) -> dict[str, Any]:
    """Values by seed, their mean and standard deviation (None for one value)."""
    mean, sd = mean_and_sd(values)
    return {"values": list(values), "mean": mean, "sd": sd if len(values) > 1 else None}


def difference(values: Sequence[float], plain: Sequence[float]) -> dict[str, Any]:
    """Mean paired difference and its 95 % interval (None for one pair)."""
    pairs = [value - other for value, other in zip(values, plain, strict=True)]
    return {"mean": mean_and_sd(pairs)[0], "interval": interval(pairs)}


def text_of(cell: dict[str, Any]) -> str:
    """``mean ± sd (difference [low, high])``; what is not known is left out."""
    said = f"{cell['mean']:.1f}"
    if cell["sd"] is not None:
        said += f" ± {cell['sd']:.1f}"
    for name, found in cell.items():
        if not name.startswith("minus"):
            continue
        ends = found["interval"]
        between = f" [{ends[0]:+.1f}, {ends[1]:+.1f}]" if ends else ""
        said += f" ({found['mean']:+.1f}{between})"
    return said
