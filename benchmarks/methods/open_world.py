"""Base and new classes judged together: which methods let frequent classes take new images?

    python benchmarks/methods/open_world.py run --bases CoOp --seeds 1   # what the CSV lacks
    python benchmarks/methods/open_world.py table            # from the committed runs

The rows are those of ``plan.py``, at equal epochs, on the four drawn datasets of the report. Each
is a base-to-new run whose test on new classes also sets all names against each other, see
``npt_plugin/evaluation/open_world.py``. The committed runs are all of one machine: an Intel Xeon
with AVX-512 and AMX units, PyTorch 2.11, one thread a run. ``front_page.py`` puts the tables into
docs/findings.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

from one_run import halves, head, job_of
from plan import ALIKE, BALANCED_SOFTMAX, CONFIGS, DATASETS, LOSS, NPT, ZERO_SHOT, Method, Run
from study_records import Record, key, merge, read_csv, write_csv
from tabulate import tabulate

from npt_plugin.embedded.benchmarks import BENCHMARKS, ensure_benchmarks
from npt_plugin.evaluation.averages import interval, mean_and_sd
from npt_plugin.evaluation.groups import GROUPS
from npt_plugin.evaluation.open_world import MEASURES
from npt_plugin.runs.configs import configs_folder
from npt_plugin.sweep import workers
from npt_plugin.sweep.job import Job

RUNS = Path(__file__).resolve().parents[1] / "results" / "open_world_runs.csv"
RATIOS = (0.06, 0.25, 1.0)
CPT = (f"{NPT}.VERSION", "cpt")

METHODS = (
    Method("CoOp", "CoOp", "CoOp"),
    Method("NPT_CoOp", "CoOp", "NPT_CoOp", ALIKE),
    Method("CPT on CoOp", "CoOp", "NPT_CoOp", CPT),
    Method("CoOp + balanced softmax", "CoOp", "CoOp", BALANCED_SOFTMAX),
    Method("NPT_CoOp + balanced softmax", "CoOp", "NPT_CoOp", (*BALANCED_SOFTMAX, *ALIKE)),
    Method("CoOp + post-hoc adjustment", "CoOp", "CoOp", (f"{LOSS}.POSTHOC_TAU", "1.0")),
    Method("MaPLe", "MaPLe", "MaPLe"),
    Method("NPT_MaPLe", "MaPLe", "NPT_MaPLe"),
    Method("CPT on MaPLe", "MaPLe", "NPT_MaPLe", CPT),
)
"""The logit-adjusted loss at strength 1 is balanced softmax; post-hoc adjustment is its other form.
On balanced data neither changes anything. NPT_CoOp counts every class fully, its default then."""

ROWS = (ZERO_SHOT, *METHODS)

MANY = "taken_many"
SHOWN = (
    *("H", "joint_base", "joint_new", "auroc", "openworld_auc", "ece_gap"),
    *("new_taken", MANY, "pull"),
)
COMPARED = ("openworld_auc", "new_taken", MANY, "pull")


def runs_of(bases: Sequence[str], ratios: Sequence[float], seeds: Sequence[int]) -> Iterator[Run]:
    """Zero-shot CLIP, and every method of these base trainers."""
    for dataset, ratio in product(DATASETS, ratios):
        yield Run(ZERO_SHOT, dataset, ratio, "epochs", 1)
    methods = [method for method in METHODS if method.base in bases]
    for seed, ratio, dataset, method in product(seeds, ratios, DATASETS, methods):
        yield Run(method, dataset, ratio, "epochs", seed)


def record_of(run: Run, job: Job) -> Record:
    """The line of a completed run."""
    base, new = halves(job)
    together = new.metrics["open_world"]
    scores = [*MEASURES, *(f"taken_{group}" for group in GROUPS)]
    return {**head(run, base, new), **{name: together[name] for name in scores}}


def do_run(args: argparse.Namespace) -> int:
    """Run what the CSV does not hold, by the sweep's workers, then put it there."""
    names = [name for name, spec in BENCHMARKS.items() if spec.directory in DATASETS]
    ensure_benchmarks(args.root, names)
    csv = Path(args.csv)
    gathered = read_csv(csv) if csv.exists() else []
    held = {key(record) for record in gathered}
    wanted = runs_of(args.bases, args.ratios, args.seeds)
    todo = {}
    for run in (run for run in wanted if run.key not in held):
        todo[replace(job_of(run, args.root, args.output), options=run.views)] = run
    failed = workers.run_all(list(todo), configs_folder(), args.jobs)
    done = [record_of(run, job) for job, run in todo.items() if job.done()]
    write_csv(merge(gathered, done), csv)
    print(f"{len(done)} of {len(todo)} runs written to {csv}")
    for name, reason in failed.items():
        print(f"failed: {name}: {reason}", file=sys.stderr)
    return 1 if failed else 0


def do_table(args: argparse.Namespace) -> int:
    """Print all tables."""
    print(tables(read_csv(Path(args.csv))))
    return 0


def tables(records: Sequence[Record]) -> str:
    """For every ratio the mean over datasets and the difference to the base trainer; then pulls."""
    parts = [f"**tau {ratio:g}**\n\n{_table(records, ratio)}" for ratio in RATIOS]
    apart = "**`pull` minus the base trainer's, dataset by dataset**"
    return "\n\n".join([*parts, f"{apart}\n\n{_pulls(records)}"])


def _table(records: Sequence[Record], ratio: float) -> str:
    means = {method.name: _by_seed(records, ratio, method.name) for method in ROWS}
    lines = []
    for method in (method for method in ROWS if means[method.name]):
        seeds = means[method.name]
        base = {} if method.base == method.name else means[method.base]
        line = [method.name, str(len(seeds))]
        for column in SHOWN:
            values = [v for one in seeds.values() if (v := one[column]) is not None]
            line.append(f"{mean_and_sd(values)[0]:.1f}" if values else "-")
        lines.append([*line, *(_difference(seeds, base, column) for column in COMPARED)])
    heads = ["method", "n", *SHOWN, *(f"{column} - base's" for column in COMPARED)]
    return tabulate(lines, heads, tablefmt="github", disable_numparse=True)


def _pulls(records: Sequence[Record]) -> str:
    """The difference in ``pull`` on every dataset; on balanced data there is none to see."""
    lines = []
    for ratio, method in product(RATIOS, METHODS):
        if ratio == 1 or method.base == method.name:
            continue
        pairs = [
            [_by_seed(records, ratio, name, (dataset,)) for name in (method.name, method.base)]
            for dataset in DATASETS
        ]
        lines.append([f"{ratio:g}", method.name, *(_difference(*pair, "pull") for pair in pairs)])
    heads = ["tau", "method", *(dataset.removeprefix("embedded_") for dataset in DATASETS)]
    return tabulate(lines, heads, tablefmt="github", disable_numparse=True)


def _by_seed(
    records: Sequence[Record], ratio: float, name: str, datasets: Sequence[str] = DATASETS
) -> dict[int, Record]:
    """The mean over datasets of each seed that has all of them; None where one lacks a measure."""
    seeds: dict[int, list[Record]] = {}
    for record in records:
        if (record["ratio"], record["method"]) == (ratio, name) and record["dataset"] in datasets:
            seeds.setdefault(record["seed"], []).append(record)
    return {
        seed: {column: _mean([record[column] for record in some]) for column in SHOWN}
        for seed, some in sorted(seeds.items())
        if len(some) == len(datasets)
    }


def _mean(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return sum(present) / len(present) if len(present) == len(values) else None


def _difference(seeds: dict[int, Record], base: dict[int, Record], column: str) -> str:
    """Paired by seed, with a 95 % t-interval."""
    pairs = [(seeds[s][column], base[s][column]) for s in sorted(seeds.keys() & base.keys())]
    values = [ours - theirs for ours, theirs in pairs if ours is not None and theirs is not None]
    if not values:
        return ""
    ends = interval(values)
    sure = "" if ends is None else f" [{ends[0]:+.1f}, {ends[1]:+.1f}]"
    return f"{mean_and_sd(values)[0]:+.1f}{sure}"


def main(argv: list[str] | None = None) -> int:
    """Run or tabulate."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--csv", default=str(RUNS), help="runs done, and new ones")
    commands = p.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run what is missing")
    run.add_argument("--root", default="data", help="folder the datasets are drawn into")
    run.add_argument("--output", default="output/open_world", help="folder of the runs")
    run.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    run.add_argument("--bases", nargs="+", default=["CoOp", "MaPLe"], choices=list(CONFIGS))
    run.add_argument("--ratios", nargs="+", type=float, default=list(RATIOS))
    run.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3, 4, 5])
    run.set_defaults(do=do_run)
    commands.add_parser("table", help="print the tables").set_defaults(do=do_table)
    args = p.parse_args(argv)
    return args.do(args)


if __name__ == "__main__":
    sys.exit(main())
