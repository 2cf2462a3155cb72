"""The grids that the sweep benchmark runs, and what a run costs the public code."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from turns import FOLDERS, Worker, take_turns
from workbench import FULL, random_clip

from npt_plugin.backbone.tiny import load_tiny_state_dict
from npt_plugin.cli.demo import DRAWN, VIEWS
from npt_plugin.embedded.benchmarks import ensure_benchmarks
from npt_plugin.runs.configs import configs_folder
from npt_plugin.sweep.dataset_groups import GROUPS
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.task import Task

RATIO, SHOTS = 0.06, 16
STEPS = 400
"""What 50 epochs of 16 balanced shots of 16 classes take."""

_TEST_IMAGES = 500
"""Of ViT-B/16's case, in each half of its 37 classes."""


@dataclass(frozen=True)
class Case:
    """A grid of base-to-new runs.

    Attributes:
        name: Of the part.
        datasets: Names of yaml files.
        seeds: Seeds.
        config: File name of the trainers' config.
        root: Folder of the datasets.
        steps: Of each run.
        views: ``INPUT.CACHED_VIEWS``.
        more: Further config keys and values.
        trainers: Registry names.
    """

    name: str
    datasets: tuple[str, ...]
    seeds: tuple[int, ...]
    config: str
    root: Path
    steps: int
    views: int
    more: tuple[str, ...] = ()
    trainers: tuple[str, ...] = ("CoOp", "NPT_CoOp")

    @property
    def runs(self) -> int:
        """How many there are."""
        return len(self.datasets) * len(self.trainers) * len(self.seeds)

    def first(self, runs: int) -> Case:
        """At most so many runs, of the first dataset."""
        seeds = self.seeds[: max(1, runs // len(self.trainers))]
        return replace(self, datasets=self.datasets[:1], seeds=seeds)

    def options(self, before: bool = False) -> list[str]:
        """Config keys and values; ``before``: as version 0.1 calls them."""
        views = "INPUT.FEATURE_CACHE" if before else "INPUT.CACHED_VIEWS"
        return ["--opts", views, str(self.views), "TRAIN.STEPS", str(self.steps), *self.more]

    def sweep(self, output: Path) -> list[str]:
        """Words for ``npt sweep``."""
        words = ["--datasets", *self.datasets, "--trainers", *self.trainers]
        words += ["--seeds", *map(str, self.seeds), "--ratios", str(RATIO)]
        return [*words, "--shots", str(SHOTS), *self._common(output)]

    def jobs(self, output: Path) -> list[Job]:
        """The jobs of this package, in the order of the sweep."""
        options = tuple(self.options()[1:])
        return [
            Job(d, t, self.config, s, RATIO, SHOTS, str(self.root), str(output), options)
            for d in self.datasets
            for s in self.seeds
            for t in self.trainers
        ]

    def protocols(self, output: Path) -> list[list[str]]:
        """Words for ``npt protocol``, for each run."""
        return [
            [
                *("base2new", "--dataset", job.dataset, "--trainer", job.trainer),
                *("--seed", str(job.seed), "--ratio", str(RATIO), "--shots", str(SHOTS)),
                *self._common(output),
                *self.options(),
            ]
            for job in self.jobs(output)
        ]

    def tasks(self, output: Path) -> list[str]:
        """What a worker is told, a line each."""
        shared = str(output / ".sweep" / "shared")
        return [
            Task(job, number, str(configs_folder()), shared).as_json()
            for job in self.jobs(output)
            for number in range(2)
        ]

    def _common(self, output: Path) -> list[str]:
        return ["--config", self.config, "--root", str(self.root), "--output", str(output)]


def grid(args: argparse.Namespace) -> Case:
    """The drawn datasets in the setting of the demo."""
    root, datasets = args.root.resolve(), GROUPS["embedded"][: args.datasets]
    ensure_benchmarks(str(root), [DRAWN[name] for name in datasets])
    seeds = tuple(range(1, (args.seeds or 6) + 1))
    return Case("grid", datasets, seeds, "tiny_ep50_ctxv1", root, STEPS, VIEWS)


def epochs(args: argparse.Namespace) -> Case:
    """The same at equal epochs, the papers' rule: imbalanced data then take 100 steps."""
    return replace(grid(args), name="epochs", steps=0)


def vit(args: argparse.Namespace) -> Case:
    """ViT-B/16 on drawn pets; 100 steps are what 50 epochs of few imbalanced images take."""
    root, weights = args.work / "data", args.work / "vit_b16.pt"
    random_clip(FULL, weights)
    draw_pets(root)
    more = ("MODEL.CLIP_WEIGHTS", str(weights), "TRAINER.COOP.PREC", "fp32")
    more += ("OPTIM.MAX_EPOCH", "50", "DATALOADER.NUM_WORKERS", "0")
    seeds = tuple(range(1, (args.seeds or 3) + 1))
    return Case("vit", ("oxford_pets",), seeds, "vit_b16_ctxv1", root, 100, 1, more)


CASES: dict[str, Callable[[argparse.Namespace], Case]] = {
    "grid": grid,
    "epochs": epochs,
    "vit": vit,
}


def draw_pets(root: Path) -> None:
    """Noise in the layout of OxfordPets: 37 classes, of which 19 are trained on."""
    images = root / "oxford_pets" / "images"
    images.mkdir(parents=True)
    (root / "oxford_pets" / "annotations").mkdir()
    rng, split = np.random.default_rng(0), {"train": [], "val": [], "test": []}
    for label in range(37):
        half, place = (19, label) if label < 19 else (18, label - 19)
        tested = _TEST_IMAGES * (place + 1) // half - _TEST_IMAGES * place // half
        for part, number in (("train", SHOTS), ("val", 2), ("test", tested)):
            for i in range(number):
                file = f"pet{label}_{part}_{i}.jpg"
                pixels = rng.integers(0, 255, (240, 320, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(images / file)
                split[part].append([file, label, f"pet {label}"])
    path = root / "oxford_pets" / "split_zhou_OxfordPets.json"
    path.write_text(json.dumps(split), encoding="utf-8")


def public_run(case: Case, work: Path) -> tuple[float, str]:
    """Processor seconds of a run by the public CoOp code, and how they were reckoned.

    Training and testing are a process each there; images pass through the image tower in each
    step, and the prompts through the text tower with each batch of a test.
    """
    hosts = os.environ.get("NPT_HOSTS", "")
    if not hosts:
        raise SystemExit("NPT_HOSTS is not set: the folder with the public checkouts.")
    weights = work / "tiny.pt"
    torch.save(load_tiny_state_dict(), weights)
    split = json.loads(next((case.root / case.datasets[0]).glob("split_*.json")).read_text())
    names = list(dict.fromkeys(name for _, _, name in split["test"]))
    spec = {"side": "host", "trainer": "CoOp", "names": names[: len(names) // 2], "n_ctx": 4}
    spec |= {"weights": str(weights), "threads": 1, "size": 48, "layers": 3, "most": 100}
    worker = Worker(spec, Path(hosts) / FOLDERS["CoOp"])
    start = _processor_seconds(worker.process.pid)
    half = len(split["test"]) // 2
    step = take_turns({"host": worker}, "step", 40, batch=32)["host"]
    image = take_turns({"host": worker}, "test", 10, batch=100, images_in_test=half)["host"]
    worker.close()
    total = 2 * start + case.steps * step + 2 * half * image
    note = f"2 starts of {start:.1f} s, {case.steps} steps of {1000 * step:.1f} ms, "
    return total, f"{note}{2 * half} test images of {1000 * image:.2f} ms, loading left out"


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
