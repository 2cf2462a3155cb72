"""A sweep by workers that stay against one process a run, and against the public code in a loop.

python benchmarks/speed/sweep_speed.py PART ... [--sample] [--before DIR] [--out CSV]

Parts:

- ``grid``: four drawn datasets, CoOp and NPT_CoOp, six seeds, the setting of ``npt demo``.
- ``epochs``: the same at equal epochs, the papers' rule, a quarter of the steps.
- ``vit``: ViT-B/16 with random weights, two methods, three seeds, 19 classes trained on, 500 test
  images in each half.
- ``public``: the runs of ``grid`` by the public CoOp code (``NPT_HOSTS``): its start, its step and
  its test are measured on the same weights, and a run is reckoned from them; loading and augmenting
  images is left out, and its CoOp stands for NPT_CoOp, which it does not have.
- ``memory``: most memory of a worker against that of a single run.

One process a run is ``npt sweep`` of the checkout ``--before`` (commit 98c9869, with a ``.venv`` of
its own), or else ``npt protocol`` of this one. With ``--sample`` that side runs a few jobs only and
the rest is reckoned; the table says so. Both sides use as many processes as there are cores, one
thread each.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import torch
from sweep_cases import CASES, Case, public_run
from turns import python_path
from watched import Watched, watch

from npt_plugin.system.processor import instruction_set, processor_name
from npt_plugin.system.version import VERSION

ROOT = Path(__file__).resolve().parents[2]
SHOWN = ROOT / "benchmarks" / "results" / "sweep_speed.csv"
COLUMNS = (
    *("date", "part", "side", "runs", "measured", "wall_s", "processor_s", "wall_ratio"),
    *("processor_ratio", "memory_mib", "jobs", "torch", "processor", "instructions", "note"),
)
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NPT_FRAMEWORK": "minidassl"}
OURS = {**ONE_THREAD, "PYTHONPATH": python_path(str(ROOT), str(ROOT / "third_party"))}


class Sides:
    """Runs both sides of a case.

    Args:
        args: Command line.
        work: Folder of outputs.
    """

    def __init__(self, args: argparse.Namespace, work: Path) -> None:
        self.args, self.work = args, work

    def staying(self, case: Case, together: bool = False) -> Watched:
        """``npt sweep`` of this checkout."""
        output = self.work / f"{case.name}_{'together' if together else 'staying'}"
        words = [sys.executable, "-m", "npt_plugin", "sweep", *case.sweep(output)]
        words += ["--jobs", str(self.args.jobs), *(["--together"] if together else [])]
        return watch([*words, *case.options()], ROOT, OURS)

    def separate(self, case: Case) -> tuple[Watched, int]:
        """One process a run; and how many runs were measured."""
        count = self.args.jobs if self.args.sample else case.runs
        if self.args.before:
            few = case.first(count) if self.args.sample else case
            python = self.args.before / ".venv" / "bin" / "python"
            words = [
                str(python),
                "-m",
                "npt_plugin",
                "sweep",
                *few.sweep(self.work / f"{case.name}_before"),
            ]
            words += ["--jobs", str(self.args.jobs), *few.options(before=True)]
            return watch(words, self.args.before, {**ONE_THREAD, "PYTHONPATH": ""}), few.runs
        commands = [
            [sys.executable, "-m", "npt_plugin", "protocol", *words]
            for words in case.protocols(self.work / f"{case.name}_alone")[:count]
        ]
        return _together(commands, self.args.jobs), count


def _together(commands: Sequence[Sequence[str]], jobs: int) -> Watched:
    """Several commands, so many at a time."""
    began = time.perf_counter()
    with ThreadPoolExecutor(jobs) as pool:
        took = list(pool.map(lambda words: watch(words, ROOT, OURS), commands))
    wall, used = time.perf_counter() - began, sum(one.processor for one in took)
    return Watched(wall, used, max(one.memory for one in took), max(one.code for one in took))


def compare(case: Case, sides: Sides) -> list[dict[str, Any]]:
    """A row for one process a run, and one for each kind of workers with the ratios."""
    separate, measured = sides.separate(case)
    ours = {"workers": sides.staying(case)}
    if sides.args.together:
        ours["workers, --together"] = sides.staying(case, together=True)
    if separate.code or any(one.code for one in ours.values()):
        raise SystemExit(f"{case.name}: a side failed.")
    factor = case.runs / measured
    rows = [_row(case.name, "one process a run", case.runs, measured, separate, factor)]
    for side, took in ours.items():
        rows.append(_row(case.name, side, case.runs, case.runs, took, 1.0))
        for kind in ("wall", "processor"):
            first, own = (row[f"{kind}_s"] for row in (rows[0], rows[-1]))
            rows[-1][f"{kind}_ratio"] = round(first / own, 2)
    return rows


def memory(case: Case, sides: Sides) -> list[dict[str, Any]]:
    """Most memory of a worker against a single run's, the claiming process left out."""
    single = watch(
        [sys.executable, "-m", "npt_plugin", "protocol", *case.protocols(sides.work / "one")[0]],
        ROOT,
        OURS,
        memory=True,
    )
    served = sides.work / "served"
    code = (
        "import sys\n"
        "from npt_plugin.sweep.task import read_task\n"
        "from npt_plugin.sweep.runner import Runner\n"
        "runner = Runner()\n"
        "for line in open(sys.argv[1]): print(runner.run(read_task(line), lambda: False))\n"
        "runner.close()\n"
    )
    tasks = sides.work / "tasks"
    tasks.write_text("".join(f"{line}\n" for line in case.tasks(served)), encoding="utf-8")
    worker = watch([sys.executable, "-c", code, str(tasks)], ROOT, OURS, memory=True)
    idle = watch([sys.executable, "-c", "import npt_plugin.sweep.runner"], ROOT, OURS, memory=True)
    own = max(0.0, worker.memory - idle.memory)
    rows = [
        _row("memory", f"single run, {case.name}", 1, 1, single, 1.0),
        _row("memory", f"worker, {case.name}", case.runs, case.runs, worker, 1.0),
    ]
    rows[1]["memory_mib"] = own
    rows[1]["note"] = f"{own / single.memory:.2f} of a single run's; its claiming process left out"
    return rows


def public(case: Case, sides: Sides) -> list[dict[str, Any]]:
    """The public code's share, and ours beside it."""
    run, note = public_run(case, sides.work)
    other = Watched(run * case.runs / sides.args.jobs, run * case.runs, 0.0, 0)
    rows = [_row("public", "public CoOp code in a loop", case.runs, 0, other, 1.0)]
    for together in (False, True)[: 1 + sides.args.together]:
        took = sides.staying(replace(case, name="public"), together)
        side = f"workers{', --together' * together}"
        rows.append(_row("public", side, case.runs, case.runs, took, 1.0))
        rows[-1]["wall_ratio"] = round(other.wall / took.wall, 2)
        rows[-1]["processor_ratio"] = round(other.processor / took.processor, 2)
    rows[0]["note"] = f"reckoned: {note}"
    return rows


def _row(
    part: str, side: str, runs: int, measured: int, took: Watched, factor: float
) -> dict[str, Any]:
    note = "" if factor == 1 else f"reckoned from {measured} runs"
    return {
        "part": part,
        "side": side,
        "runs": runs,
        "measured": measured,
        "wall_s": round(took.wall * factor, 1),
        "processor_s": round(took.processor * factor, 1),
        "memory_mib": round(took.memory, 1) or "",
        "note": note,
    }


PARTS = {
    "epochs": lambda sides: compare(CASES["epochs"](sides.args), sides),
    "grid": lambda sides: compare(CASES["grid"](sides.args), sides),
    "vit": lambda sides: compare(CASES["vit"](sides.args), sides),
    "public": lambda sides: public(CASES["grid"](sides.args), sides),
    "memory": lambda sides: memory(CASES["grid"](sides.args).first(4), sides),
}


def main() -> None:
    """Measure the parts asked for, print the rows and add them to the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--before", type=Path, help="checkout of 98c9869 with its own .venv")
    parser.add_argument("--sample", action="store_true", help="the slow side runs a few jobs only")
    parser.add_argument(
        "--together", action="store_true", help="a third side: npt sweep --together"
    )
    parser.add_argument("--seeds", type=int, default=0, help="fewer than the part's own")
    parser.add_argument("--datasets", type=int, default=4, help="of the grid")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--root", type=Path, default=ROOT / "data", help="drawn datasets")
    parser.add_argument("--note", default="", help="what to know about this run")
    parser.add_argument("--out", type=Path, help=f"CSV to add to; the published one is {SHOWN}")
    args = parser.parse_args()
    said = ["--together" if args.together else "", args.note, f"npt {VERSION}"]
    about = {
        "date": date.today().isoformat(),
        "jobs": args.jobs,
        "torch": torch.__version__,
        "processor": processor_name() or platform.machine(),
        "instructions": instruction_set(),
    }
    for part in args.parts:
        with tempfile.TemporaryDirectory() as work:
            args.work = Path(work)
            rows = [{**about, **row} for row in PARTS[part](Sides(args, Path(work)))]
        for row in rows:
            row["note"] = "; ".join(filter(None, [row["note"], *said]))
            print({key: row[key] for key in COLUMNS if row.get(key) not in (None, "")})
        if args.out:
            add(args.out, rows)


def add(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Add rows to a CSV, with its head if it is new."""
    new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if new:
            writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
