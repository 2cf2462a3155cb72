"""Does one setting of NPT serve CLIPs of every logit scale? Gains over CoOp at scales 10 to 100.

    python benchmarks/methods/logit_scales.py run     # what the committed CSV does not hold
    python benchmarks/methods/logit_scales.py table   # from the committed runs; --write: picture

CLIPs are the embedded one, tempered or trained on to each scale (``scaled_clip.py``); datasets and
imbalance are those of ``tuning.py``, at equal epochs; seeds 101 to 103 chose, others are reported.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from evidence_tables import signed
from plan import CONFIGS, NPT, RATIOS, SHOTS, VIEWS
from plan import TUNING_DATASETS as DATA
from scaled_clip import KINDS, write
from study_records import Record, read_csv, write_csv
from tabulate import tabulate

from npt_plugin.backbone.loading import TINY
from npt_plugin.evaluation.averages import harmonic_mean
from npt_plugin.runs.configs import configs_folder
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record
from npt_plugin.sweep import workers
from npt_plugin.sweep.job import Job

CSV = Path(__file__).resolve().parents[1] / "results" / "logit_scales.csv"
PICTURE = Path(__file__).resolve().parents[2] / "docs" / "images" / "logit_scales.png"

OWN = 17.5
"""Rounded, the scale at which pretraining left the embedded CLIP."""

EMBEDDED = "embedded"

SCALES = (10.0, OWN, 30.0, 60.0, 100.0)
SEEDS = range(104, 112)
METHODS = ("CoOp", "NPT_CoOp", "NPT_CoOp x scale")
"""The last with both weights times ``scale / OWN``: both terms counted in logits. All else is as in
version 0.1, whose weights count cosines."""

KEY = ("kind", "scale", "method", "dataset", "seed")


class Run(NamedTuple):
    """One run: which CLIP, which method, on what."""

    kind: str
    scale: float
    method: str
    dataset: str
    seed: int

    def job(self, output: str) -> Job:
        """The sweep's job that does it."""
        weight = str(round(10 * self.scale / OWN, 2))
        before = ((f"{NPT}.PRESET", "0.1"),) if self.method != "CoOp" else ()
        both = ((f"{NPT}.LAMBDA_LC", weight), (f"{NPT}.LAMBDA_MI", weight))
        return Job(
            self.dataset,
            self.method.split()[0],
            CONFIGS["CoOp"],
            self.seed,
            RATIOS[0],
            SHOTS,
            output=str(Path(output) / f"{self.kind}_{self.scale:g}"),
            options=("TEST.SAVE_PREDICTIONS", "False", "INPUT.CACHED_VIEWS", str(VIEWS)),
            backbone=backbone(output, self.kind, self.scale),
            settings=before + (both if " " in self.method else ()),
        )


def backbone(output: str, kind: str, scale: float) -> str:
    """The CLIP of a scale: the embedded one as it is, or a file, made if it is not there."""
    if scale == OWN:
        return TINY
    path = Path(output).resolve() / "clips" / f"{kind}_{scale:g}.safetensors"
    if not path.is_file():
        write(kind, scale, path)
    return str(path)


def clips(kinds: Sequence[str], scales: Sequence[float]) -> Iterator[tuple[str, float]]:
    """Kind and scale of every CLIP; at its own scale there is the embedded one alone."""
    if OWN in scales:
        yield EMBEDDED, OWN
    yield from ((kind, scale) for kind in kinds for scale in scales if scale != OWN)


def runs(args: argparse.Namespace) -> Iterator[Run]:
    """All runs asked for, those of one CLIP together."""
    for kind, scale in clips(args.kinds, args.scales):
        for dataset, seed in product(DATA, args.seeds):
            for method in METHODS[: 2 if scale == OWN else 3]:
                yield Run(kind, scale, method, dataset, seed)


def do_run(args: argparse.Namespace) -> int:
    """Run what the CSV does not hold, and gather it."""
    gathered = read_csv(args.csv) if args.csv.exists() else []
    held = {tuple(record[name] for name in KEY) for record in gathered}
    todo = {run.job(args.output): run for run in runs(args) if run not in held}
    failed = workers.run_all(list(todo), configs_folder(), args.jobs, together=True)
    records = gathered + [record_of(run, job) for job, run in todo.items() if job.done()]
    write_csv(sorted(records, key=lambda r: [r[name] for name in KEY]), args.csv)
    print("\n".join(f"{name}: {reason}" for name, reason in failed.items()), file=sys.stderr)
    return 1 if failed else 0


def record_of(run: Run, job: Job) -> Record:
    """Its line of the CSV."""
    base, new = (read_record(job.folder(part) / RESULTS) for part in ("train", "new"))
    accuracies = [record.metrics["accuracy"] for record in (base, new)]
    values = (*accuracies, harmonic_mean(*accuracies))
    return {**run._asdict(), **dict(zip(("base", "new", "H"), values, strict=True))}


def gains(records: Sequence[Record], kind: str, scale: float, method: str, column: str) -> list:
    """Differences to CoOp by seed, each the mean over the datasets."""
    method = "NPT_CoOp" if scale == OWN else method  # both settings are one there
    found = {
        (r["method"], r["dataset"], r["seed"]): r[column]
        for r in records
        if (r["kind"], r["scale"]) == (kind, scale)
    }
    by_seed = []
    for seed in sorted({seed for name, _, seed in found if name == method}):
        pairs = [(found.get((method, d, seed)), found.get(("CoOp", d, seed))) for d in DATA]
        values = [own - base for own, base in pairs if own is not None and base is not None]
        if len(values) == len(DATA):
            by_seed.append(float(np.mean(values)))
    return by_seed


def table(records: Sequence[Record]) -> str:
    """The gains in H at every scale."""
    rows = []
    for kind, scale in clips(KINDS, SCALES):
        own = [r for r in records if (r["kind"], r["scale"]) == (kind, scale)]
        level = [r["H"] for r in own if r["method"] == "CoOp"]
        if level:
            cells = [gains(records, kind, scale, method, "H") for method in METHODS[1:]]
            row = [kind, f"{scale:g}", str(len(cells[0])), f"{np.mean(level):.1f}"]
            rows.append([*row, *map(signed, cells)])
    heads = ["CLIP", "logit scale", "n", "CoOp's H", "weights 10", "weights 10 x scale / 17.5"]
    return tabulate(rows, heads, tablefmt="github", disable_numparse=True)


def do_table(args: argparse.Namespace) -> int:
    """Print the table; draw the picture."""
    records = read_csv(args.csv)
    print(table(records))
    if args.write:
        from logit_scale_picture import draw

        draw(records, PICTURE)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run or tabulate."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("command", choices=("run", "table"))
    p.add_argument("--output", default="output/logit_scales", help="folder of CLIPs and runs")
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    p.add_argument("--kinds", nargs="+", default=KINDS[1:], choices=KINDS)
    p.add_argument("--scales", nargs="+", type=float, default=SCALES)
    p.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    p.add_argument("--csv", type=Path, default=CSV)
    p.add_argument("--write", action="store_true", help="table: also draw the picture")
    args = p.parse_args(argv)
    return do_run(args) if args.command == "run" else do_table(args)


if __name__ == "__main__":
    sys.exit(main())
