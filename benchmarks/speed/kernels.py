"""How many kernels a step starts, ours and CLIP's own modules: what a GPU's small steps wait for.

python benchmarks/speed/kernels.py

Counted on a CPU, forward and backward: operators of PyTorch but views and bare memory. "whole" is
our way on a GPU (``npt_plugin/backbone/launches.py``), "shared" that on a CPU. Twelve layers of
ViT-B/16's widths at 32 pixels; the number depends on neither size nor number of classes, unless
prompts go by length in several passes.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from side_process import Side
from tabulate import tabulate
from torch.utils._python_dispatch import TorchDispatchMode
from turns import class_names
from workbench import random_clip

from npt_plugin.backbone import text_tower
from npt_plugin.backbone.frozen_linear import plain_kernels

SHAPE = {"size": 32, "layers": 12, "patch": 16}
BATCHES = {"CoOp": 8, "CoCoOp": 1, "MaPLe": 4}
"""More images than eight would pass in several parts, which they do on a CPU alone."""

CLASSES = 19
_NO_KERNEL = ("_unsafe_view", "detach", "empty", "empty_like", "lift_fresh")


class Kernels(TorchDispatchMode):
    """Counts what a GPU would have to start, by operator, while it is entered."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if func.namespace == "aten" and not func.is_view and name not in _NO_KERNEL:
            self.counts[name] += 1
        return func(*args, **(kwargs or {}))


def of_step(side: str, trainer: str, weights: str) -> int:
    """Kernels of a trainer's second step; the first fills caches."""
    spec = {"side": side, "trainer": trainer, "names": class_names(CLASSES), "weights": weights}
    with redirect_stdout(open(os.devnull, "w", encoding="utf-8")), plain_kernels():
        built = Side({**spec, **SHAPE, "threads": 1, "most": max(BATCHES.values())})
        built.step(BATCHES[trainer])
        with Kernels() as seen:
            built.step(BATCHES[trainer])
    return seen.counts.total()


def main() -> None:
    """Count and print."""
    usual, rows = text_tower.bound_by_launches, []
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "random.pt"
        random_clip(SHAPE, weights)
        for trainer in BATCHES:
            own = of_step("plain", trainer, str(weights))
            shared = of_step("ours", trainer, str(weights))
            text_tower.bound_by_launches = lambda *_: True
            whole = of_step("ours", trainer, str(weights))
            text_tower.bound_by_launches = usual
            rows.append([trainer, own, shared, whole])
    print(tabulate(rows, ["step", "CLIP's modules", "shared", "whole"], tablefmt="github"))


if __name__ == "__main__":
    main()
