"""Our trainers against the public code on the same weights and images, taking turns.

python benchmarks/speed.py [--quick] [--out FILE] [--only PART ...]

With ``NPT_HOSTS`` (a folder with the checkouts of Dassl.pytorch, CoOp and
multimodal-prompt-learning) the other side is their own code; without, CLIP's own modules run
plainly. Weights are random: speed does not depend on them. Prints tables and writes JSON.
Ratios are of processor seconds, which other work on the machine does not distort; the wall ratio
stands beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import torch
from sides import FOLDERS, Worker, class_names, largest_difference, take_turns
from summary import TARGETS, base_to_new, print_tables

FULL = {"size": 224, "layers": 12, "patch": 16, "most": 100}
QUICK = {"size": 32, "layers": 2, "patch": 16, "most": 32}
TEST_IMAGES = 3669  # base and new half of OxfordPets
LINE = (19, 100)  # classes from which the other side is extrapolated: it is linear in K


class Bench:
    """Runs comparisons and collects what they find.

    Args:
        args: Command line.
        weights: File of the random CLIP.
    """

    def __init__(self, args: argparse.Namespace, weights: str) -> None:
        """Take the arguments listed above."""
        self.quick, self.threads, self.weights = args.quick, args.threads, weights
        self.shape = QUICK if args.quick else FULL
        hosts = os.environ.get("NPT_HOSTS", "")
        self.hosts = Path(hosts) if hosts else None
        self.other = "host" if hosts else "plain"
        self.found: dict[str, Any] = {}
        self.patient = args.patient

    def worker(self, side: str, trainer: str, classes: int, **more: Any) -> Worker:
        """A process with one trainer."""
        host = self.hosts / FOLDERS[trainer] if side == "host" else None
        spec = {
            "side": side, "trainer": trainer, "names": class_names(classes),
            "weights": self.weights, "threads": self.threads, **self.shape, **more,
        }  # fmt: skip
        return Worker(spec, host)

    @contextmanager
    def pair(self, trainer: str, classes: int, **more: Any) -> Iterator[dict[str, Worker]]:
        """Ours and the other side."""
        sides = {side: self.worker(side, trainer, classes, **more) for side in ("ours", self.other)}
        yield sides
        for worker in sides.values():
            worker.close()

    def note(self, name: str, found: Any) -> None:
        """Keep and print one result."""
        self.found[name] = found
        print(f"{name}: {json.dumps(found)}", flush=True)

    def parity(self, name: str, sides: dict[str, Worker], batch: int) -> None:
        """Largest relative difference of the logits at the start."""
        tables = [worker("logits", batch=batch) for worker in sides.values()]
        self.note(f"{name} parity", largest_difference(*tables))

    def memory(self, name: str, sides: dict[str, Worker]) -> None:
        """Peak memory of both."""
        found = {side: worker("rss") for side, worker in sides.items()}
        ours, other = found.values()
        self.note(f"{name} peak memory", {**found, "ratio": round(other / ours, 2)})

    def on_the_line(self, classes: int, name: str, side: str) -> tuple[float, str]:
        """What a measurement of the other side grows to with K, from two smaller K."""
        low, high = LINE
        first, second = (self.found[f"CoOp K={k} {name}"][side] for k in LINE)
        value = second + (second - first) / (high - low) * (classes - high)
        return value, f"{side}: on the line through K={low} and K={high}"

    def extrapolate(self, classes: int, name: str, ours: dict[str, Any]) -> None:
        """Note ours beside what the other side would take."""
        value, note = self.on_the_line(classes, name, self.other)
        ratio = round(value / ours["ours"], 2)
        found = {**ours, self.other: round(value, 5), "ratio": ratio, "note": note}
        self.note(f"CoOp K={classes} {name}", found)

    # -- parts --------------------------------------------------------------------------------

    def coop(self) -> None:
        """CoOp steps and tests for growing K."""
        for classes, repeats in ((19, 3), (100, 2)):
            name = f"CoOp K={classes}"
            with self.pair("CoOp", classes) as sides:
                self.note(f"{name} step B=32", take_turns(sides, "step", repeats, batch=32))
                self.memory(f"{name} step B=32", sides)
                self.note(f"{name} text part", take_turns(sides, "text", repeats))
                self.parity(name, sides, 4)
                self.test(name, sides, TEST_IMAGES // 2)
                if classes == 19:
                    sizes = {side: worker("checkpoint") for side, worker in sides.items()}
                    self.note("CoOp checkpoint", sizes)
                    cached = {"ours": sides["ours"]}
                    found = take_turns(cached, "cached_step", 7, batch=32)
                    whole = self.found[f"{name} step B=32"][self.other]
                    found["ratio"] = round(whole / found["ours"], 1)
                    self.note(f"{name} step B=32 FEATURE_CACHE", found)
        self.note("whole job", base_to_new(self.found, self.other, TEST_IMAGES))

    def test(self, name: str, sides: dict[str, Worker], images: int) -> None:
        """Seconds an image of an evaluation, batches of the published size."""
        kind = {"batch": self.shape["most"], "images_in_test": images}
        found = take_turns(sides, "test", 1, warm=False, **kind)
        self.note(f"{name} test per image", found)

    def many(self) -> None:
        """CoOp with 500 and 1000 classes; the other side measured only where asked for."""
        for classes in (500, 1000):
            name = f"CoOp K={classes}"
            sides = {"ours": self.worker("ours", "CoOp", classes)}
            if self.patient:
                sides[self.other] = self.worker(self.other, "CoOp", classes)
                if classes == 500:
                    found = take_turns(sides, "step", 1, warm=False, batch=32)
                    self.note(f"{name} step B=32", found)
                    self.memory(f"{name} step B=32", sides)
                else:
                    self.test(name, sides, 50000)
            else:
                self._ours_alone(classes, sides)
            for worker in sides.values():
                worker.close()

    def _ours_alone(self, classes: int, ours: dict[str, Worker]) -> None:
        step = take_turns(ours, "step", 1, batch=32)
        self.extrapolate(classes, "step B=32", step)
        self.extrapolate(classes, "step B=32 peak memory", {"ours": ours["ours"]("rss")})
        self.extrapolate(classes, "text part", take_turns(ours, "text", 1))
        # a test at K=19 and K=100 is nearly all image tower: no line through them reaches further

    def cocoop(self) -> None:
        """CoCoOp step of one image and test of ten."""
        with self.pair("CoCoOp", 19) as sides:
            self.note("CoCoOp K=19 step B=1", take_turns(sides, "step", 5, batch=1))
            kind = {"batch": 10, "images_in_test": TEST_IMAGES // 2}
            self.note("CoCoOp K=19 test per image", take_turns(sides, "test", 2, **kind))
            self.parity("CoCoOp K=19", sides, 2)

    def maple(self) -> None:
        """MaPLe step, checkpoint, memory."""
        with self.pair("MaPLe", 100) as sides:
            self.note("MaPLe K=100 step B=4", take_turns(sides, "step", 2, batch=4))
            self.memory("MaPLe K=100 step B=4", sides)
            sizes = {side: worker("checkpoint") for side, worker in sides.items()}
            ours, other = sizes.values()
            self.note("MaPLe checkpoint", {**sizes, "ours of other": round(ours / other, 5)})
            self.parity("MaPLe K=100", sides, 2)

    def npt(self) -> None:
        """What NPT's terms add to a step of its base trainer, with and without cached features."""
        sides = {kind: self.worker("ours", kind, 100) for kind in ("CoOp", "NPT_CoOp")}
        found = take_turns(sides, "cached_step", 11, batch=32)
        extra = found["NPT_CoOp"] - found["CoOp"]
        found["extra of a whole step"] = extra / take_turns(
            {"CoOp": sides["CoOp"]}, "step", 1, batch=32
        )["CoOp"]  # fmt: skip
        self.note("NPT_CoOp over CoOp, K=100 B=32 FEATURE_CACHE", found)
        for worker in sides.values():
            worker.close()

    def options(self) -> None:
        """torch.compile and bf16 against fp32, our side only."""
        more = {"compile": ["MODEL.COMPILE", True], "bf16": ["TRAINER.COOP.PREC", "bf16"]}
        plain = self.worker("ours", "CoOp", 19)
        tables = {"fp32": plain("logits", batch=8)}
        for name, words in more.items():
            sides = {"fp32": plain, name: self.worker("ours", "CoOp", 19, options=words)}
            kind = {"batch": 16 if not self.quick else 8, "images_in_test": TEST_IMAGES // 2}
            self.note(f"{name} test per image", take_turns(sides, "test", 1, **kind))
            self.note(f"{name} text part", take_turns(sides, "text", 2))
            tables[name] = sides[name]("logits", batch=8)
            difference = largest_difference(tables[name], tables["fp32"])
            self.note(f"{name} logits differ by", round(difference, 6))
            sides[name].close()
        plain.close()

    def growth(self) -> None:
        """Seconds of our step against B, and of the text part against its length."""
        for context in (4, 16):
            worker = {"ours": self.worker("ours", "CoOp", 100, n_ctx=context)}
            self.note(f"growth text part n_ctx={context}", take_turns(worker, "text", 3))
            if context == 16:
                for batch in (1, 8, 32):
                    found = take_turns(worker, "step", 1, batch=batch)
                    self.note(f"growth step K=100 B={batch}", found)
                peak = worker["ours"]("matmul", size=2048)
                self.note("matmul peak", peak)
            worker["ours"].close()


PARTS = ("coop", "many", "cocoop", "maple", "npt", "growth", "options")


def random_clip(shape: dict[str, int], path: Path) -> None:
    """A CLIP with ViT-B/16's widths and random weights, saved in fp16 as OpenAI's are."""
    from clip.model import CLIP

    torch.manual_seed(0)
    size, layers, patch = shape["size"], shape["layers"], shape["patch"]
    model = CLIP(512, size, layers, 768, patch, 77, 49408, 512, 8, layers)
    torch.save({name: value.half() for name, value in model.state_dict().items()}, path)


def main() -> None:
    """Run the chosen parts, print tables, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two layers, 32 pixels: a smoke run")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument(
        "--patient", action="store_true",
        help="measure the other side at K=500 (25 GB) and 1000 too, instead of extrapolating",
    )  # fmt: skip
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--out", type=Path, help="JSON file; parts not run keep their numbers")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "random.pt"
        random_clip(QUICK if args.quick else FULL, weights)
        bench = Bench(args, str(weights))
        if args.out and args.out.exists() and "coop" not in args.only:
            bench.found = json.loads(args.out.read_text(encoding="utf-8"))["found"]
        for part in args.only:
            getattr(bench, part)()
            found = save(bench, args)
    print_tables(found, bench.other, TEST_IMAGES, bench.shape)


def save(bench: Bench, args: argparse.Namespace) -> dict[str, Any]:
    """Write what was found so far over what the file holds; returns all of it."""
    found = bench.found
    if args.out and args.out.exists():
        found = {**json.loads(args.out.read_text(encoding="utf-8"))["found"], **found}
    about = {
        "date": date.today().isoformat(), "torch": torch.__version__, "threads": args.threads,
        "machine": platform.machine(), "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "not measured": [name for name, key, _ in TARGETS if key not in found.get(name, {})],
        "other": bench.other, "model": "quick" if args.quick else "ViT-B/16, random weights, fp32",
    }  # fmt: skip
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        content = {"about": about, "found": found}
        args.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return found


if __name__ == "__main__":
    main()
