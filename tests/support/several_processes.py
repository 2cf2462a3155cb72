"""Runs of a table of trainers, by one process or by several under torchrun, and what they learn.

``python -m torch.distributed.run --nproc-per-node 2 several_processes.py ROOT WEIGHTS OUT`` trains
the rows of ``CASES`` (or those named behind) in processes that work together, in float32 and then
in float64; ``learn`` does it in this process.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch

TESTS = Path(__file__).resolve().parents[1]

_IMBALANCE = "TRAINER.IMBALANCE_LOSS."
CASES: dict[str, tuple[str, ...]] = {
    "CoOp": ("CoOp",),
    "CoOp, no augmentation in turn": ("CoOp", "DATALOADER.DETERMINISTIC_AUG", "True"),
    "CoOp, workers": ("CoOp", "DATALOADER.NUM_WORKERS", "1"),
    "CoOp, cached views": ("CoOp", "INPUT.CACHED_VIEWS", "2"),
    "CoOp, LDAM and deferred weights": (
        "CoOp",
        _IMBALANCE + "NAME",
        "ldam",
        _IMBALANCE + "DRW_EPOCH",
        "0",
    ),
    "CoOp, LADE": ("CoOp", _IMBALANCE + "NAME", "lade"),
    "CoOp, SAM, class-balanced sampling": (
        "CoOp",
        "OPTIM.SAM.ENABLED",
        "True",
        "DATALOADER.TRAIN_X.SAMPLER",
        "ClassBalancedSampler",
    ),
    "CoCoOp": ("CoCoOp", "DATALOADER.TRAIN_X.BATCH_SIZE", "1"),
    "CoCoOp, five images": ("CoCoOp", "DATALOADER.TRAIN_X.BATCH_SIZE", "5"),
    "MaPLe": ("MaPLe",),
    "VPT in pieces": ("VPT", "TRAIN.IMAGE_CHUNKS", "2"),
    "NPT_CoOp": ("NPT_CoOp",),
    "NPT_CoCoOp": ("NPT_CoCoOp", "DATALOADER.TRAIN_X.BATCH_SIZE", "3"),
    "NPT_MaPLe": ("NPT_MaPLe",),
    "NPT_MaPLe, ETF of both": (
        "NPT_MaPLe",
        "TRAINER.NPT.LC.FORM",
        "etf",
        "TRAINER.NPT.MI.FORM",
        "etf",
        "TRAINER.NPT.MI.MOMENTUM",
        "0.",
    ),
    "CPT": ("NPT_MaPLe", "TRAINER.NPT.VERSION", "cpt"),
    "GNM_PT": (
        "GNM_PT",
        "TRAINER.GNM_PT.N_CTX",
        "2",
        "OPTIM.GNM.ENABLED",
        "True",
        _IMBALANCE + "NAME",
        "gcl",
    ),
    "Decoder, balanced softmax": (
        "Decoder",
        _IMBALANCE + "NAME",
        "balanced_softmax",
        "TRAINER.DECODER.DEPTH",
        "1",
        "TRAINER.HEAD.INIT",
        "mean",
    ),
    "NPT_FineTune, AdaptFormer under a cosine head": ("NPT_FineTune",),
    "FineTune, LoRA in both towers": (
        "FineTune",
        "TRAINER.FINE_TUNE.METHOD",
        "lora",
        "TRAINER.FINE_TUNE.TOWERS",
        "both",
        "TRAINER.FINE_TUNE.EMA",
        "0.9",
        "TRAINER.HEAD.NAME",
        "text",
    ),
    "LinearProbe, feature store": ("LinearProbe", "TEST.FEATURE_STORE", "{out}/store"),
}
COMMON = (
    "DATASET.IMBALANCE.RATIO",
    "0.25",
    "TRAIN.STEPS",
    "20",
    "OPTIM.LR",
    "0.002",
    "DATALOADER.TEST.BATCH_SIZE",
    "4",
    "TEST.SAVE_PREDICTIONS",
    "True",
)


def learn(
    make: Callable, out: Path, names: Iterable[str] = (), nudge: float = 0.0
) -> dict[str, dict[str, torch.Tensor]]:
    """Train the table; what each row has learned and what it then says of the test images.

    Args:
        make: As the fixture ``make_trainer``.
        out: Where their folders go.
        names: Which rows; none: all.
        nudge: By how much, relatively, the start and the outcome of each step are moved.
    """
    from npt_plugin.runs.predictions import Predictions
    from npt_plugin.system import ranks

    found = {}
    for number, name in enumerate(names or CASES):
        place = out / str(number)
        trainer, *options = (word.format(out=out) for word in CASES[name])
        built = make(trainer, *COMMON, *options, output=place)
        if nudge:
            _nudged(built, nudge)
        start = {n: p.detach().clone() for n, p in built.model.learned().items()}
        built.train()
        found[name] = {n: p.detach().clone() for n, p in built.model.learned().items()}
        assert not any(torch.equal(start[n], p) for n, p in found[name].items()), "it learned"
        if ranks.writes():
            found[name]["logits"] = Predictions.load(place).logits
    return found


def _nudged(trainer: Any, nudge: float) -> None:
    """Move every learned number up or down, now and after each step, as another rounding would."""
    coins, step = torch.Generator().manual_seed(0), trainer.forward_backward

    @torch.no_grad()
    def move() -> None:
        for p in trainer.model.learned().values():
            up = torch.randint(0, 2, p.shape, generator=coins)
            p.mul_(1 + nudge * (2 * up - 1))

    def forward_backward(batch: Any) -> Any:
        summary = step(batch)
        move()
        return summary

    move()
    trainer.forward_backward = forward_backward


def to_float64() -> None:
    """From now on compute in float64; for a process of its own."""
    from double import replacements

    for owner, name, value in replacements():
        setattr(owner, name, value)
    torch.set_default_dtype(torch.float64)


def main(root: str, weights: str, out: str, *names: str) -> int:
    """What torchrun starts."""
    sys.path[:0] = [str(TESTS), str(TESTS / "support"), str(TESTS.parent)]
    from conftest import build

    from npt_plugin.engine.distributed import together
    from npt_plugin.system import ranks
    from npt_plugin.system.exit_codes import exit_code

    torch.set_num_threads(1)

    def make(*words: str, output: Path) -> Any:
        return build(Path(root), Path(weights), output, *words)

    def work() -> None:
        for precision in ("float32", "float64"):
            if precision == "float64":
                to_float64()
            found = learn(make, Path(out) / precision, names)
            torch.save(found, f"{out}/{precision}.{ranks.rank()}.pt")

    return exit_code(together, work)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
