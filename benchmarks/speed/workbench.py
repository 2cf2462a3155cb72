"""What every part of the speed benchmark needs: workers in pairs, and a place for numbers."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from turns import FOLDERS, Worker, class_names, largest_difference, take_turns

FULL = {"size": 224, "layers": 12, "patch": 16, "most": 100}
QUICK = {"size": 32, "layers": 2, "patch": 16, "most": 32}
TEST_IMAGES = 3669  # base and new half of OxfordPets


class Bench:
    """Runs comparisons and collects what they find.

    Args:
        args: Command line.
        weights: File of the random CLIP.

    Attributes:
        other: ``host`` (a public checkout) or ``plain`` (CLIP's own modules).
        found: Measurements by name.
    """

    def __init__(self, args: argparse.Namespace, weights: str) -> None:
        self.device = args.device
        self.quick, self.threads, self.weights = args.quick, args.threads, weights
        self.shape = QUICK if args.quick else FULL
        hosts = os.environ.get("NPT_HOSTS", "")
        self.hosts = Path(hosts) if hosts else None
        self.other = "host" if hosts else "plain"
        self.found: dict[str, Any] = {}

    def worker(self, side: str, trainer: str, classes: int, *options: Any, **more: Any) -> Worker:
        """A process with one trainer; ``options`` are config keys and values."""
        host = self.hosts / FOLDERS[trainer] if side == "host" else None
        spec = {
            "side": side,
            "trainer": trainer,
            "names": class_names(classes),
            "options": options,
            "weights": self.weights,
            "threads": self.threads,
            "device": self.device,
            **self.shape,
            **more,
        }
        return Worker(spec, host)

    @contextmanager
    def ours(self, trainer: str, classes: int, *options: Any, **more: Any) -> Iterator[Worker]:
        """Our side alone."""
        worker = self.worker("ours", trainer, classes, *options, **more)
        try:
            yield worker
        finally:
            worker.close()

    @contextmanager
    def pair(self, trainer: str, classes: int) -> Iterator[dict[str, Worker]]:
        """Ours and the other side."""
        sides = {side: self.worker(side, trainer, classes) for side in ("ours", self.other)}
        try:
            yield sides
        finally:
            for worker in sides.values():
                worker.close()

    def note(self, name: str, found: Any) -> Any:
        """Keep, print and return one result."""
        self.found[name] = found
        print(f"{name}: {json.dumps(found)}", flush=True)
        return found

    def parity(self, name: str, sides: dict[str, Worker], batch: int) -> None:
        """Largest relative difference of the logits at the start: call it before any step."""
        tables = [worker("logits", batch=batch) for worker in sides.values()]
        self.note(f"{name} parity", largest_difference(*tables))

    def memory(self, name: str, sides: dict[str, Worker]) -> None:
        """Peak memory of both."""
        found = {side: worker("rss") for side, worker in sides.items()}
        ours, other = found.values()
        self.note(f"{name} peak memory", {**found, "ratio": round(other / ours, 2)})

    def test(self, name: str, sides: dict[str, Worker], images: int, **more: Any) -> Any:
        """Seconds an image of an evaluation of so many images, batches of the published size."""
        kind = {"batch": self.shape["most"], "images_in_test": images}
        found = take_turns(sides, "test", **{"repeats": 2, "warm": True, **kind, **more})
        return self.note(f"{name} test per image", found)


def random_clip(shape: dict[str, int], path: Path) -> None:
    """A CLIP with ViT-B/16's widths and random weights, saved in fp16 as OpenAI's are."""
    from clip.model import CLIP

    torch.manual_seed(0)
    size, layers, patch = shape["size"], shape["layers"], shape["patch"]
    model = CLIP(512, size, layers, 768, patch, 77, 49408, 512, 8, layers)
    torch.save({name: value.half() for name, value in model.state_dict().items()}, path)
