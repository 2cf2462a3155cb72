"""Parts of the speed benchmark on our side alone: bf16, kernels, growth."""

from __future__ import annotations

import time

from turns import largest_difference, take_turns
from workbench import TEST_IMAGES, Bench

CHOICES = {"bf16": ("TRAINER.COOP.PREC", "bf16")}


def options(bench: Bench) -> None:
    """bf16 against fp32: test, text part, and what they do to the logits."""
    for name, words in CHOICES.items():
        with bench.ours("CoOp", 19) as plain, bench.ours("CoOp", 19, *words) as other:
            sides = {name: other, "fp32": plain}
            started = time.perf_counter()
            tables = [worker("logits", batch=8) for worker in sides.values()]
            first = round(time.perf_counter() - started, 1)
            difference = round(largest_difference(*tables), 8)
            bench.note(f"{name} logits differ by", difference)
            kind = {"batch": 16, "images_in_test": TEST_IMAGES // 2}
            bench.note(f"{name} test per image", take_turns(sides, "test", 3, **kind))
            bench.note(f"{name} text part", take_turns(sides, "text", 5))
            bench.note(f"{name} wall seconds of the first call", first)


def growth(bench: Bench) -> None:
    """Seconds of our step against B, of the text part against its length; the matmul peak."""
    for context in (4, 8, 16, 32):
        with bench.ours("CoOp", 100, n_ctx=context) as worker:
            ours = {"ours": worker}
            bench.note(f"growth text part n_ctx={context}", take_turns(ours, "text", 3))
            if context != 16:
                continue
            for batch in (1, 8, 32):
                found = take_turns(ours, "step", 2, batch=batch)
                bench.note(f"growth step K=100 B={batch}", found)
            for kernel in ("oneDNN", "MKL"):
                peak = worker("matmul", size=2048, kernel=kernel)
                bench.note(f"matmul peak {kernel}", peak)
