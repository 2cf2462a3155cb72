"""Time and memory of a ViT-B/16 step of every fine-tuning method, beside full fine-tuning.

python benchmarks/speed/fine_tuning.py --out benchmarks/results/fine_tuning.csv

Each method has a process of its own and takes its steps in turn with one of METHOD full, so that a
machine that other work shares slows both: what counts are the ratios. Peak memory is that of the
process, weights of CLIP, optimiser and Python included.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from turns import python_path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
COLUMNS = ["method", "learned", "seconds", "full_over_it", "mib", "full_mib_over_it"]


def work(method: str, weights: str, batch: int, classes: int) -> None:
    """A process of one method: a line with what it learns, then a line a step."""
    import torch
    from side_process import bare_trainer

    import npt_plugin
    from npt_plugin.engine.framework import get_cfg_default
    from npt_plugin.trainers import BASE_TRAINERS

    torch.set_num_threads(1)
    cfg = npt_plugin.extend_cfg(get_cfg_default())
    cfg.merge_from_file(
        str(HERE.parents[1] / "configs/trainers/FineTune/vit_b16_adaptformer_ep10.yaml")
    )
    node = ["TRAINER.FINE_TUNE.METHOD", method, "TRAINER.FINE_TUNE.PREC", "fp32"]
    cfg.merge_from_list([*node, "TRAINER.NAME", "FineTune", "MODEL.CLIP_WEIGHTS", weights])
    cfg.merge_from_list(["TRAINER.FINE_TUNE.RANK", 8, "USE_CUDA", False])
    names = [f"thing number {i}" for i in range(classes)]
    trainer: Any = bare_trainer(BASE_TRAINERS["FineTune"], cfg, names)
    trainer.set_model_mode("train")
    seen = {"img": torch.randn(batch, 3, 224, 224), "label": torch.arange(batch) % classes}
    _answer(sum(p.numel() for p in trainer.model.learned().values()))
    for _ in sys.stdin:
        began = time.thread_time()
        trainer.forward_backward(seen)
        seconds = time.thread_time() - began
        _answer([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024])


def _answer(what: Any) -> None:
    print(json.dumps(what), file=sys.__stdout__, flush=True)


class Worker:
    """One such process."""

    def __init__(self, method: str, *words: str) -> None:
        paths = [str(HERE), str(HERE.parents[1]), str(HERE.parents[1] / "third_party")]
        env = {**os.environ, "PYTHONPATH": python_path(*paths), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, __file__, "--work", method, *words]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process: Any = subprocess.Popen(command, env=env, **pipes)
        self.learned = self._answered()

    def _answered(self) -> Any:
        for line in self.process.stdout:
            if line[0] in "[0123456789":
                return json.loads(line)
        raise RuntimeError("a worker ended early")

    def step(self) -> tuple[float, float]:
        """Seconds of a step, and the process's peak memory so far in MiB."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        seconds, peak = self._answered()
        return seconds, peak

    def close(self) -> None:
        """End it."""
        self.process.stdin.close()
        self.process.wait()


def beside_full(method: str, steps: int, *words: str) -> dict[str, Any]:
    """A row of the table: medians of paired ratios, the first step of each left out."""
    full, other = Worker("full", *words), Worker(method, *words)
    pairs = [(full.step(), other.step()) for _ in range(1 + steps)][1:]
    peaks = [max(peak for _, peak in side) for side in zip(*pairs, strict=True)]
    learned = other.learned
    full.close(), other.close()
    return {
        "method": method,
        "learned": learned,
        "seconds": round(statistics.median(mine[0] for _, mine in pairs), 2),
        "full_over_it": round(statistics.median(f[0] / m[0] for f, m in pairs), 2),
        "mib": round(peaks[1]),
        "full_mib_over_it": round(peaks[0] / peaks[1], 2),
    }


def main(argv: list[str] | None = None) -> None:
    """Measure and write the table."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--out", default="fine_tuning.csv")
    p.add_argument("--batch", type=int, default=4)
    p.add_argument("--classes", type=int, default=100)
    p.add_argument("--steps", type=int, default=3)
    p.add_argument("--methods", nargs="*", default=[])
    p.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    args = p.parse_args(argv)
    if args.work:
        method, weights, batch, classes = args.work
        work(method, weights, int(batch), int(classes))
        return
    from npt_plugin.backbone.random_weights import write_random_clip
    from npt_plugin.tuning.methods import METHODS

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "clip.safetensors"
        write_random_clip("ViT-B/16", weights)
        words = (str(weights), str(args.batch), str(args.classes))
        for method in args.methods or METHODS:
            rows.append(beside_full(method, args.steps, *words))
            print(rows[-1], flush=True)
            with open(args.out, "w", newline="", encoding="utf-8") as file:
                table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
                table.writeheader()
                table.writerows(rows)


if __name__ == "__main__":
    main()
