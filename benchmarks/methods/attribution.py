"""Is it the geometry? Terms one by one and in pairs at matched gradient norms.

    python benchmarks/methods/attribution.py strengths   # on the tuning data: a CSV of norms
    python benchmarks/methods/attribution.py run         # what the committed CSV does not hold
    python benchmarks/methods/attribution.py table --write

CoOp on the drawn benchmarks at equal epochs; every form of ``attribution_plan.py`` gets the weight
at which its gradient on the prompts is 9 or 3 times cross-entropy's, measured on the tuning data.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from attribution_plan import RATIOS, SEEDS, STRENGTHS, attribution_runs
from one_run import flat_record, job_of
from plan import DATASETS, TUNING_DATASETS, ZERO_SHOT, Run
from study_records import key, merge, read_csv, write_csv

from npt_plugin.embedded.benchmarks import BENCHMARKS, ensure_benchmarks
from npt_plugin.geometry import hat
from npt_plugin.runs.configs import configs_folder
from npt_plugin.runs.predictions import Predictions
from npt_plugin.sweep import workers
from npt_plugin.sweep.job import Job

RESULTS = Path(__file__).resolve().parents[1] / "results"
RUNS, STRENGTH = RESULTS / "attribution_runs.csv", RESULTS / "attribution_strengths.csv"


def read_strengths() -> dict[float, dict[str, float]]:
    """What ``strengths`` has written, by ratio and form."""
    found: dict[float, dict[str, float]] = {}
    for record in read_csv(STRENGTH):
        found.setdefault(record["ratio"], {})[record["method"]] = record["strength"]
    return found


def kept(run: Run, root: str, output: str) -> Job:
    """The study's job of a run, with the features that were compared kept."""
    job = job_of(run, root, output)
    return replace(job, options=("TEST.SAVE_PREDICTIONS", "True", *run.views))


def nearness(job: Job, zero_shot: Job) -> dict[str, float]:
    """How near the text features of base and new classes are to the zero-shot ones.

    ``near``: mean cosine to the zero-shot feature of the class. ``held``: the same with both
    centred over classes: how much of what told classes apart is still there.
    """
    found = {}
    for side, part in (("base", "train"), ("new", "new")):
        text, anchor = (
            Predictions.load(one.folder(part)).text_features.double() for one in (job, zero_shot)
        )
        found[f"{side}_near"] = float(F.cosine_similarity(text, anchor).mean())
        centred = hat(text, center=True) * hat(anchor, center=True)
        found[f"{side}_held"] = float(centred.sum(dim=-1).mean())
    return found


def do_strengths(args: argparse.Namespace) -> int:
    """Measure and write."""
    from attribution_strength import measured

    names = [name for name, spec in BENCHMARKS.items() if spec.directory in TUNING_DATASETS]
    ensure_benchmarks(args.root, names)
    torch.set_num_threads(1)
    records: list[dict[str, Any]] = [
        {"method": name, "ratio": ratio, "strength": value}
        for ratio, forms in measured(args.root).items()
        for name, value in forms.items()
    ]
    write_csv(records, STRENGTH)
    print(f"Written to {STRENGTH}")
    return 0


def do_run(args: argparse.Namespace) -> int:
    """Run what is missing of the wanted ratios and seeds, and put it into the CSV."""
    names = [name for name, spec in BENCHMARKS.items() if spec.directory in DATASETS]
    ensure_benchmarks(args.root, names)
    seeds = tuple(seed for seed in SEEDS if seed <= args.seeds)
    runs = list(
        attribution_runs(read_strengths(), tuple(args.ratios), seeds, tuple(args.strengths))
    )
    gathered = read_csv(RUNS) if RUNS.exists() else []
    held = {key(record) for record in gathered}
    jobs = {run: kept(run, args.root, args.output) for run in runs}
    todo = [run for run in runs if run.key not in held]
    print(f"{len(runs)} runs, {len(todo)} to do", flush=True)
    failed = workers.run_all(
        [jobs[run] for run in todo], configs_folder(), args.jobs, together=args.together
    )
    zero = {run.dataset: job for run, job in jobs.items() if run.method == ZERO_SHOT}
    fresh = [
        {**flat_record(run, jobs[run]), **nearness(jobs[run], zero[run.dataset])}
        for run in todo
        if jobs[run].done()
    ]
    write_csv(merge(gathered, fresh), RUNS)
    print("\n".join(f"failed: {name}: {why}" for name, why in failed.items()), file=sys.stderr)
    return 1 if failed else 0


def do_table(args: argparse.Namespace) -> int:
    """Print the page; with --write also put it and its figure into docs/."""
    from attribution_page import page, write

    records = read_csv(RUNS)
    print(page(records, read_strengths()))
    if args.write:
        write(records, read_strengths())
    return 0


def main(argv: list[str] | None = None) -> int:
    """Measure, run or tabulate."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = p.add_subparsers(dest="command", required=True)
    strengths = commands.add_parser("strengths", help="measure gradients on the tuning data")
    strengths.add_argument("--root", default="data", help="folder the datasets are drawn into")
    strengths.set_defaults(do=do_strengths)
    run = commands.add_parser("run", help="run what is missing")
    run.add_argument("--root", default="data", help="folder the datasets are drawn into")
    run.add_argument("--output", default="output/attribution", help="folder of the runs")
    run.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    run.add_argument("--seeds", type=int, default=max(SEEDS), help="no more seeds than these")
    run.add_argument("--ratios", type=float, nargs="+", default=RATIOS)
    run.add_argument("--strengths", type=float, nargs="+", default=STRENGTHS)
    run.add_argument("--together", action="store_true", help="runs alike share passes of the text")
    run.set_defaults(do=do_run)
    table = commands.add_parser("table", help="print the page")
    table.add_argument("--write", action="store_true", help="also write docs/geometry.md")
    table.set_defaults(do=do_table)
    args = p.parse_args(argv)
    return args.do(args)


if __name__ == "__main__":
    sys.exit(main())
