"""Parts of the speed benchmark that compare ours with ours: what NPT, GNM and SAM add to a step."""

from __future__ import annotations

from typing import Any

from turns import take_turns
from workbench import Bench

VERSIONS = ("v3", "v2", "cpt")
BATCH = 32
MANY = 1000


def npt(bench: Bench) -> None:
    """The whole objective: of a step with 1000 classes, and of a step of its base trainer."""
    for version in VERSIONS:
        with bench.ours("NPT_CoOp", MANY, "TRAINER.NPT.VERSION", version) as worker:
            found = take_turns({"ours": worker}, "objective", 15, batch=BATCH)
            found["of a step"] = round(found["ours"] / _base_step(bench, worker), 5)
            bench.note(f"NPT {version} objective K={MANY} B=32", found)
    kinds = ("NPT_CoOp", "CoOp")
    sides = {kind: bench.worker("ours", kind, 100) for kind in kinds}
    steps = take_turns(sides, "cached_step", 15, batch=BATCH)
    alone = take_turns({"ours": sides["NPT_CoOp"]}, "objective", 15, batch=BATCH)["ours"]
    whole = take_turns({"CoOp": sides["CoOp"]}, "step", 2, batch=BATCH)["CoOp"]
    for worker in sides.values():
        worker.close()
    found = {
        **steps,
        "objective": alone,
        "whole step": whole,
        "of a cached step": round(alone / steps["CoOp"], 5),
        "of a step": round(alone / whole, 5),
        "note": "the objective's own forward and backward; ratio: two trainers taking turns",
    }
    bench.note("NPT_CoOp over CoOp, K=100 B=32", found)


def _base_step(bench: Bench, worker: Any) -> float:
    """Seconds of a CoOp step with 1000 classes in this run; with NPT's terms where not measured."""
    name = f"CoOp K={MANY} step B=32"
    if name not in bench.found:
        own = f"NPT_CoOp K={MANY} step B=32"
        if own not in bench.found:
            bench.note(own, take_turns({"ours": worker}, "step", 1, batch=BATCH))
        name = own
    return bench.found[name]["ours"]


def optimizers(bench: Bench) -> None:
    """GNM and SAM over the plain optimiser, on cached features: the least there is to hide in."""
    for name in ("GNM", "SAM"):
        sides = {
            name: bench.worker("ours", "CoOp", 100, f"OPTIM.{name}.ENABLED", True),
            "plain": bench.worker("ours", "CoOp", 100),
        }
        found = take_turns(sides, "cached_step", 25, batch=BATCH)
        for worker in sides.values():
            worker.close()
        found["times the base step"] = round(found[name] / found["plain"], 4)
        bench.note(f"{name} over SGD, CoOp K=100 B=32 FEATURE_CACHE", found)
