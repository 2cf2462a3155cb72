"""How long a method takes on this machine, measured on a few steps: for plans and dry runs."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from npt_plugin.backbone.loading import TINY
from npt_plugin.backbone.openai import weights_at_hand
from npt_plugin.backbone.random_weights import SHAPES, write_random_clip
from npt_plugin.embedded.benchmarks import ensure_benchmarks
from npt_plugin.engine.framework import build_trainer
from npt_plugin.runs.configs import dataset_config
from npt_plugin.runs.settings import build_cfg
from npt_plugin.sweep.job import Job
from npt_plugin.system.memory import peak_memory
from npt_plugin.system.random_state import seed_everything

DRAWN = ("embedded_objects", "EmbeddedObjects")
"""The dataset that is measured on: name of its yaml file, registry name."""

STEPS, SECONDS = 12, 3.0
"""Steps that are taken at most, and for how long at most; the quickest but the first counts."""

IMAGES = (2, 8)
"""Test images that are classified; what more of them take longer is measured."""


@dataclass(frozen=True)
class Pace:
    """What one method takes here; seconds, linear in the number of classes K.

    Attributes:
        start: Until the first batch is there.
        step: Of an optimiser step, at the numbers of classes ``classes``.
        image: Of one test image, likewise.
        classes: The two numbers of classes that were measured.
        batch: Images a step.
        learned: Numbers that are learned.
        width: D, features.
        frozen: Whether the image tower is frozen, so that all runs share its test features.
        mib: Peak memory of the process, or of the GPU.
    """

    start: float
    step: tuple[float, float]
    image: tuple[float, float]
    classes: tuple[int, int]
    batch: int
    learned: int
    width: int
    frozen: bool
    mib: float

    def step_at(self, classes: int) -> float:
        """Seconds of a step with K classes."""
        return self._line(self.step, classes)

    def image_at(self, classes: int) -> float:
        """Seconds of a test image with K classes."""
        return self._line(self.image, classes)

    def _line(self, ends: tuple[float, float], classes: int) -> float:
        few, many = self.classes
        slope = max(0.0, (ends[1] - ends[0]) / (many - few))  # noise must not make K cheap
        return max(ends[0] + slope * (classes - few), min(ends) / 2)


def first_steps(
    trainer: Any, steps: int, most: float = float("inf")
) -> tuple[float, float, list[dict[str, float]]]:
    """Train some steps without an epoch's end.

    Args:
        trainer: A built one.
        steps: At most so many.
        most: Seconds after which no further step begins, two steps done.

    Returns:
        Seconds until the first batch is there (views are cached then), of the quickest step but the
        first, and every step's terms.
    """
    trainer.set_model_mode("train")
    trainer.before_epoch()
    taken, waited, said = list[float](), 0.0, list[dict[str, float]]()
    batches, begin = iter(trainer.train_loader_x), time.perf_counter()
    while len(taken) < steps and (len(taken) < 2 or time.perf_counter() - begin < most):
        started = time.perf_counter()
        batch = next(batches, None)
        if batch is None:
            break
        waited = waited or time.perf_counter() - started
        terms = trainer.forward_backward(batch)
        said.append({name: float(value) for name, value in terms.items()})  # synchronises
        taken.append(time.perf_counter() - started)
    return waited, min(taken[1:] or taken, default=0.0), said


def one_test(trainer: Any, most: int | None = None) -> tuple[float, int]:
    """Seconds that the first test batch takes, and its images; at most so many of them."""
    trainer.set_model_mode("eval")
    with torch.no_grad(), trainer.precision.context(trainer.device):
        images, _ = trainer.parse_batch_test(next(iter(trainer.test_loader)))
        images = images[:most]
        started = time.perf_counter()
        trainer.model_inference(images).cpu()
    return time.perf_counter() - started, len(images)


def measure(job: Job, configs: Path, scratch: Path) -> Pace:
    """Take a few steps of a job's method on drawn images, at two numbers of classes.

    Weights that are not on this machine are random ones of the same shape.

    Args:
        job: Its trainer, config, settings and backbone are measured.
        configs: Folder of the yaml files.
        scratch: An empty folder for drawn images and random weights; may be one for all methods.

    Raises:
        UserError: On a mistake in the job's config.
    """
    seen = [_few_steps(job, configs, scratch, half) for half in ("base", "all")]
    trainer = seen[1].trainer
    memory = peak_memory()
    return Pace(
        start=seen[1].start,
        step=(seen[0].step, seen[1].step),
        image=(seen[0].image, seen[1].image),
        classes=(len(seen[0].trainer.classnames), len(trainer.classnames)),
        batch=trainer.cfg.DATALOADER.TRAIN_X.BATCH_SIZE,
        learned=sum(p.numel() for p in trainer.model.learned().values()),
        width=trainer.model.text_encoder.dim,
        frozen=not trainer.model.learns_image_side,
        mib=memory["device_mib"] or memory["process_mib"] or 0.0,
    )


@dataclass(frozen=True)
class _Seen:
    trainer: Any
    start: float
    step: float
    image: float


def _few_steps(job: Job, configs: Path, scratch: Path, half: str) -> _Seen:
    ensure_benchmarks(scratch, [DRAWN[1]], (16, 4, 4))
    request = job.steps()[0].request(configs)
    options: Sequence[Any] = [*request.opts, "DATASET.SUBSAMPLE_CLASSES", half]
    options = [*options, "DATASET.NUM_SHOTS", 16, "DATASET.IMBALANCE.RATIO", 1.0]
    options = [*options, "DATALOADER.NUM_WORKERS", 0]
    weights = _random_weights(build_cfg(request), scratch)
    cfg = build_cfg(
        replace(
            request,
            dataset_config_file=str(dataset_config(DRAWN[0], configs)),
            root=str(scratch),
            output_dir="",
            opts=[*options, *(["MODEL.CLIP_WEIGHTS", weights] if weights else [])],
        )
    )
    started = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        seed_everything(cfg)
        trainer = build_trainer(cfg)
    start, step = time.perf_counter() - started, 0.0
    if trainer.optim is not None:
        waited, step, _ = first_steps(trainer, STEPS, SECONDS)
        start += waited
    few, many = (one_test(trainer, most)[0] for most in IMAGES)
    image = max(many - few, many / 10) / (IMAGES[1] - IMAGES[0])
    return _Seen(trainer, start, step, image)


def _random_weights(cfg: Any, scratch: Path) -> str:
    """A file of random weights for a named backbone whose own are not here; else empty."""
    name = cfg.MODEL.BACKBONE.NAME
    if cfg.MODEL.CLIP_WEIGHTS or name == TINY or name not in SHAPES or weights_at_hand(name):
        return ""
    path = scratch / f"{name.replace('/', '-')}.safetensors"
    if not path.exists():
        write_random_clip(name, path)
    return str(path)
