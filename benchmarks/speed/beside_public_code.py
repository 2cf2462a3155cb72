"""Parts of the speed benchmark that run the public code beside ours."""

from __future__ import annotations

from typing import Any

from targets import base_to_new
from turns import take_turns
from workbench import TEST_IMAGES, Bench

from npt_plugin.backbone.text_chunks import free_bytes

BATCH = 32
SMALLER = 400  # classes at which the other side is measured where 500 do not fit into memory
SPARE = 1.5e9  # bytes to leave free: our side, and everything else


def coop(bench: Bench) -> None:
    """CoOp with 19 and 100 classes: parity, step, text part, memory, test, checkpoint."""
    for classes, repeats in ((19, 3), (100, 3)):
        name = f"CoOp K={classes}"
        with bench.pair("CoOp", classes) as sides:
            bench.parity(name, sides, 4)
            bench.note(f"{name} step B=32", take_turns(sides, "step", repeats, batch=BATCH))
            bench.memory(f"{name} step B=32", sides)
            bench.note(f"{name} text part", take_turns(sides, "text", repeats))
            bench.test(name, sides, TEST_IMAGES // 2, repeats=2 if classes == 19 else 1)
            if classes == 19:
                sizes = {side: worker("checkpoint") for side, worker in sides.items()}
                bench.note("CoOp checkpoint", sizes)
                _cached(bench, name, sides)
    bench.note("whole job", base_to_new(bench.found, bench.other, TEST_IMAGES))


def _cached(bench: Bench, name: str, sides: dict[str, Any]) -> None:
    """Our step on cached image features against their step."""
    found = take_turns({"ours": sides["ours"]}, "cached_step", 9, batch=BATCH)
    found[bench.other] = bench.found[f"{name} step B=32"][bench.other]
    found["ratio"] = round(found[bench.other] / found["ours"], 1)
    bench.note(f"{name} step B=32 FEATURE_CACHE", found)


def many(bench: Bench) -> None:
    """CoOp with 500 and 1000 classes: step, memory, text part; the test with 1000."""
    step = "step B=32"
    measured = 500 if _fits(bench, 500) else SMALLER
    with bench.pair("CoOp", measured) as sides:
        name = f"CoOp K={measured}"
        bench.note(f"{name} {step}", take_turns(sides, "step", 1, warm=False, batch=BATCH))
        bench.memory(f"{name} {step}", sides)
    for classes in (500, 1000):
        if classes == measured:
            continue
        with bench.ours("CoOp", classes) as worker:
            ours = {"ours": worker}
            repeats = 2 if classes == 500 else 1
            _beside_the_line(
                bench, classes, step, measured, take_turns(ours, "step", repeats, batch=BATCH)
            )
            _beside_the_line(
                bench, classes, f"{step} peak memory", measured, {"ours": worker("rss")}
            )
    with bench.pair("CoOp", 1000) as sides:
        bench.parity("CoOp K=1000", sides, 2)
        bench.test("CoOp K=1000", sides, 50000, repeats=1, warm=False)


def _line(bench: Bench, classes: int, name: str, high: int) -> float:
    """What a measurement of the other side grows to with K: it is linear in K."""
    low = 100
    first, second = (bench.found[f"CoOp K={k} {name}"][bench.other] for k in (low, high))
    return second + (second - first) / (high - low) * (classes - high)


def _beside_the_line(
    bench: Bench, classes: int, name: str, high: int, ours: dict[str, Any]
) -> None:
    value = _line(bench, classes, name, high)
    note = f"{bench.other}: on the line through K=100 and K={high}, both measured"
    ratio = round(value / ours["ours"], 2)
    found = {**ours, bench.other: round(value, 5), "ratio": ratio, "note": note}
    bench.note(f"CoOp K={classes} {name}", found)


def _fits(bench: Bench, classes: int) -> bool:
    """Whether the other side's step has room in what is free now."""
    import torch

    free = free_bytes(torch.device(bench.device))
    low, high = (bench.found[f"CoOp K={k} step B=32 peak memory"][bench.other] for k in (19, 100))
    return free is not None and high + (high - low) / 81 * (classes - 100) + SPARE < free


def cocoop(bench: Bench) -> None:
    """CoCoOp: step of one image, test of ten."""
    name = "CoCoOp K=19"
    with bench.pair("CoCoOp", 19) as sides:
        bench.parity(name, sides, 2)
        bench.note(f"{name} step B=1", take_turns(sides, "step", 5, batch=1))
        bench.test(name, sides, TEST_IMAGES // 2, batch=10)


def maple(bench: Bench) -> None:
    """MaPLe: step, memory, checkpoint."""
    name = "MaPLe K=100"
    with bench.pair("MaPLe", 100) as sides:
        bench.parity(name, sides, 2)
        bench.note(f"{name} step B=4", take_turns(sides, "step", 3, batch=4))
        bench.memory(f"{name} step B=4", sides)
        bench.test(name, sides, TEST_IMAGES // 2, batch=10, repeats=1)
        sizes = {side: worker("checkpoint") for side, worker in sides.items()}
        ours, other = sizes.values()
        numbers = sides["ours"]("learned")
        rest = ours - 4 * numbers
        note = f"{numbers} learned fp32 numbers x 4 bytes = {4 * numbers}, and {rest} bytes of keys"
        found = {**sizes, "ours of other": round(ours / other, 5), "learned numbers": numbers}
        bench.note("MaPLe checkpoint", {**found, "note": note})
