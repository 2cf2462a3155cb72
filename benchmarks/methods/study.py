"""Evidence: every method on the drawn benchmarks, at three imbalance ratios, over many seeds.

    python benchmarks/methods/study.py run      # what the committed CSV does not hold; resumable
    python benchmarks/methods/study.py run --csv MINE.csv --output NEW   # all anew: hours
    python benchmarks/methods/study.py table    # from the committed runs

Each run is a base-to-new run of the real trainers: trained on the 16 base classes, tested on base
and on new, by the workers of ``npt sweep``; ``run`` adds them to the CSV that ``table`` reads.
For more seeds raise ``STAGES`` in ``plan.py``. All choices (weights, forms, margins) were
made by ``benchmarks/methods/tuning.py`` on two other datasets with other seeds.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from aims import aims
from evidence_tables import (
    COLUMNS,
    beside_neighbours,
    by_dataset,
    correlations,
    markdown,
    overview,
    settings,
)
from one_run import flat_record, job_of
from plan import ARTISTS, CONFIGS, DATASETS, Run, report_runs, rules
from study_records import key, merge, read_csv, write_csv

from npt_plugin.embedded.benchmarks import BENCHMARKS, ensure_benchmarks
from npt_plugin.runs.configs import configs_folder
from npt_plugin.sweep import workers
from npt_plugin.system.files import write_text

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / "benchmarks" / "results" / "methods_runs.csv"
EVIDENCE = ROOT / "docs" / "evidence.md"
SCATTER = ROOT / "docs" / "evidence_collapse.png"


def run_all(runs: list[Run], root: str, output: str, jobs: int, csv: Path | None) -> list[str]:
    """Run what the CSV does not hold, by the sweep's workers, then put it into the CSV.

    Args:
        runs: What the CSV should hold.
        root: Folder of the drawn datasets.
        output: Top folder of the runs; what has completed there is not repeated.
        jobs: Runs at a time, each on one core.
        csv: The gathered records, read and written; None: every run is done, and nothing gathered.

    Returns:
        A line for every run that failed.
    """
    gathered = read_csv(csv) if csv and csv.exists() else []
    held = {key(record) for record in gathered}
    todo = {job_of(run, root, output): run for run in runs if run.key not in held}
    print(f"{len(runs)} runs, {len(todo)} to do", flush=True)
    failed = workers.run_all(list(todo), configs_folder(), jobs)
    records = merge(gathered, [flat_record(run, job) for job, run in todo.items() if job.done()])
    if csv and records:
        write_csv(records, csv)
        print(f"Written to {csv}")
    return [f"{name}: {reason}" for name, reason in failed.items()]


def do_run(args: argparse.Namespace) -> int:
    """Draw the datasets, run, gather."""
    names = [name for name, spec in BENCHMARKS.items() if spec.directory in (*DATASETS, *ARTISTS)]
    ensure_benchmarks(args.root, names)
    runs = [run for run in report_runs(args.seeds) if run.method.base in args.bases]
    csv = Path(args.csv) if args.csv else None
    failed = run_all(runs, args.root, args.output, args.jobs, csv)
    print("\n".join(f"failed: {line}" for line in failed), file=sys.stderr, end="")
    return 1 if failed else 0


def evidence(csv: Path) -> str:
    """The whole report as Markdown."""
    records = read_csv(csv)
    parts = [HEAD.format(runs=len(records)), AIMS, aims(records), OVERVIEW, overview(records)]
    for ratio, rule in settings():
        note = "" if ratio == 1 else f", at equal {rule}"
        parts += [f"\n## tau {ratio:g}{note}\n", markdown(records, ratio, rule, COLUMNS)]
        if ratio < 0.1:
            parts += ["\nBy dataset:\n", by_dataset(records, ratio, rule)]
    parts += [BESIDE.format(ratio=STRONG), beside_neighbours(records, STRONG, "NPT_CoOp (v3)")]
    for rule in rules(STRONG) if any(r["dataset"] in ARTISTS for r in records) else ():
        parts += [
            f"\n## Artists, tau {STRONG:g}, at equal {rule}\n",
            *((ARTIST_HEAD,) if rule == "epochs" else ()),
            markdown(records, STRONG, rule, COLUMNS, ARTISTS),
            "\nBy dataset:\n",
            by_dataset(records, STRONG, rule, ARTISTS),
        ]
    return "\n".join([*parts, CORRELATION, correlations(records), TAIL]) + "\n"


HEAD = """# Evidence

Made by `python benchmarks/methods/study.py table --write` from
`benchmarks/results/methods_runs.csv` ({runs} runs, one line each), which
`python benchmarks/methods/study.py run` made. Mean over four drawn datasets, then mean ± standard
deviation over n seeds, in percent; H is the mean of the datasets' H (not the H of the averages that
most papers print); differences are paired by seed, with a 95 % t-interval. "Equal epochs" is the
papers' rule: an imbalanced run has fewer batches in an epoch, hence fewer steps. "Equal steps"
gives it as many as the balanced run. ETF distance and NC3 cosine are of base-class test images
against text features. `few` are the base classes with fewer than a fifth of the largest class's
images. Choices were made on other datasets and seeds ([methods.md](methods.md), "How the defaults
were chosen"); nothing was tuned on these runs.
"""

AIMS = """
## What was aimed for

Written down before the study. Met is an aim that the mean reaches with its interval above 0 ("not
below 0": the mean alone); "best" is by the mean gain over the base trainer in these very runs, on
both sides, whatever the number of seeds.
"""

OVERVIEW = """
## H in every setting

Of the base trainers H, mean ± standard deviation; of the others the paired difference to it; the
number of seeds in parentheses.
"""

STRONG = 0.06
ARTIST_HEAD = """Two datasets in the hand of artists, colours, line, ground and grain at once, which
were drawn after all choices had been made: not all evidence should come from one kind of shift.
"""

BESIDE = """
## NPT beside methods that stay near zero-shot CLIP, tau {ratio:g}
"""

CORRELATION = """
## Does collapse of text-to-image features go with generalisation?

Over all runs above, each value minus the mean of its dataset, ratio and rule; 95 % intervals from
1000 resamples of whole seeds. A smaller ETF distance and a larger NC3 cosine are more collapsed.
"""

TAIL = "\n![Collapse of text-to-image features against accuracy](evidence_collapse.png)"


def do_table(args: argparse.Namespace) -> int:
    """Print the report; with --write also put it into docs/."""
    text = evidence(Path(args.csv))
    print(text)
    if args.write:
        from scatter import scatter

        records = read_csv(Path(args.csv))
        write_text(EVIDENCE, text)
        scatter(records, SCATTER)
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run or tabulate."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = p.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run what is missing")
    run.add_argument("--root", default="data", help="folder the datasets are drawn into")
    run.add_argument("--output", default="output/methods", help="folder of the runs")
    run.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    run.add_argument("--seeds", type=int, default=0, help="no more seeds than these; 0: the plan's")
    run.add_argument("--bases", nargs="+", default=list(CONFIGS), choices=list(CONFIGS))
    run.add_argument("--csv", default=str(RUNS), help="runs done, and new ones; empty: none")
    run.set_defaults(do=do_run)
    table = commands.add_parser("table", help="print the report")
    table.add_argument("--csv", default=str(RUNS))
    table.add_argument("--write", action="store_true", help=f"also write {EVIDENCE.name}")
    table.set_defaults(do=do_table)
    args = p.parse_args(argv)
    return args.do(args)


if __name__ == "__main__":
    sys.exit(main())
