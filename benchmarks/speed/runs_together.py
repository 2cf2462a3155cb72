"""S runs that each take a step against the same S runs that take one step together.

python benchmarks/speed/runs_together.py [--out FILE] [--threads N] [--only tiny vit]

Image features are cached. Both ways take turns in one process; the ratio is the median over the
rounds of processor seconds of a round's separate steps to those of its joint step. ``tiny`` is the
embedded CLIP on the classes of a drawn dataset, half of the runs CoOp and half NPT_CoOp; ``vit`` is
ViT-B/16 with random weights (speed does not depend on them).
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[1] / "third_party")]

import torch  # noqa: E402
from side_process import bare_trainer, config  # noqa: E402
from turns import class_names  # noqa: E402
from workbench import FULL, random_clip  # noqa: E402

import npt_plugin  # noqa: E402
from npt_plugin.embedded.specs import BENCHMARKS  # noqa: E402
from npt_plugin.trainers import BASE_TRAINERS, NPT_TRAINERS  # noqa: E402
from npt_plugin.trainers.shared_towers import SharedTowers  # noqa: E402
from npt_plugin.trainers.stacked_step import stack_key, take_steps  # noqa: E402

BATCH = 32
CASES = {
    "tiny": {"backbone": "Tiny", "size": 48, "runs": (2, 4, 6, 12, 24), "rounds": 40},
    "vit": {"backbone": "ViT-B/16", "size": 224, "runs": (2, 3, 6, 12), "rounds": 3},
}
COLUMNS = ("backbone", "classes", "runs", "separate_ms_a_run", "together_ms_a_run", "ratio")


def runs(case: dict[str, Any], names: Sequence[str], count: int, weights: str) -> list[Any]:
    """Trainers on one CLIP, CoOp and NPT_CoOp in turn."""
    options = ("MODEL.BACKBONE.NAME", case["backbone"], "TRAINER.COOP.CTX_INIT", "a photo of a")
    towers, kinds = SharedTowers(), {**BASE_TRAINERS, **NPT_TRAINERS}
    found = []
    for number in range(count):
        trainer = ("CoOp", "NPT_CoOp")[number % 2]
        spec = {"trainer": trainer, "size": case["size"], "layers": 12, "weights": weights}
        cfg = config({**spec, "options": options}, HERE.parents[1])
        with redirect_stdout(io.StringIO()):
            made = bare_trainer(kinds[trainer], cfg, list(names))
        towers.give(made.model)
        made.set_model_mode("train")
        found.append(made)
    assert len({stack_key(trainer) for trainer in found}) == 1
    return found


def batches(trainers: Sequence[Any], classes: int) -> list[dict[str, torch.Tensor]]:
    """A batch of random unit-norm features for each."""
    generator = torch.Generator().manual_seed(7)
    width = trainers[0].model.text_encoder.dim
    found = []
    for _ in trainers:
        features = torch.randn(BATCH, width, generator=generator)
        labels = torch.randint(classes, (BATCH,), generator=generator)
        found.append({"features": torch.nn.functional.normalize(features, dim=-1), "label": labels})
    return found


def compare(case: dict[str, Any], names: Sequence[str], count: int, weights: str) -> dict[str, Any]:
    """One row of the table."""
    trainers = runs(case, names, count, weights)
    pairs = list(zip(trainers, batches(trainers, len(names)), strict=True))
    rows = []
    for _ in range(case["rounds"] + 1):
        start = time.process_time()
        for pair in pairs:
            take_steps([pair])
        middle = time.process_time()
        take_steps(pairs)
        rows.append((middle - start, time.process_time() - middle))
    rows = rows[1:]  # the first warms up
    separate, together = (1000 * median(row[i] for row in rows) / count for i in (0, 1))
    ratio = round(median(a / b for a, b in rows), 2)
    values = (case["backbone"], len(names), count, round(separate, 2), round(together, 2), ratio)
    return dict(zip(COLUMNS, values, strict=True))


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--out", type=Path, help="CSV file")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    npt_plugin.register(base=True)
    about = {"threads": args.threads, "cpu": torch.backends.cpu.get_cpu_capability()}
    found = []
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "random.pt"
        for name in args.only:
            if name == "vit":
                random_clip(FULL, weights)
            names = BENCHMARKS["EmbeddedObjects"].class_names[:16]
            names = names if name == "tiny" else class_names(19)
            for count in CASES[name]["runs"]:
                row = compare(CASES[name], names, count, str(weights) if name == "vit" else "")
                found.append({**row, **about})
                print(found[-1], flush=True)
    if args.out:
        with args.out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, found[0])
            writer.writeheader()
            writer.writerows(found)


if __name__ == "__main__":
    main()
