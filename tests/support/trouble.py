"""train.py whose process RANK meets with trouble at its step STEP, for torchrun.

``trouble.py kill,1,5 --trainer CoOp ...``; ``none`` leaves it in peace. It computes in float64.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]


def meet(kind: str) -> None:
    """What happens."""
    from npt_plugin.errors import UserError

    if kind == "user":
        raise UserError("Something is wrong with this image.")
    if kind == "bug":
        raise TypeError("a mistake of ours")
    if kind == "stuck":
        time.sleep(1000)
    os.kill(os.getpid(), {"kill": signal.SIGKILL, "term": signal.SIGTERM}[kind])


def troubled(kind: str, rank: int, last: int) -> Callable[[Any, Any], Any]:
    """A ``forward_backward`` in which one process meets it before its step ``last``."""
    from npt_plugin.system import ranks
    from npt_plugin.trainers.base import PromptTrainer

    plain, steps = PromptTrainer.forward_backward, []

    def forward_backward(self: PromptTrainer, batch: Any) -> Any:
        steps.append(batch)
        if ranks.rank() == rank and len(steps) == last:
            meet(kind)
        return plain(self, batch)

    return forward_backward


def main(what: str, *argv: str) -> int:
    """What torchrun starts."""
    sys.path[:0] = [str(TESTS), str(TESTS / "support")]
    from several_processes import to_float64

    from npt_plugin.cli import train
    from npt_plugin.system import ranks
    from npt_plugin.trainers.base import PromptTrainer

    to_float64()
    kind, _, place = what.partition(",")
    if kind == "stuck":
        ranks.PATIENCE = timedelta(seconds=5)
    if place:
        step = troubled(kind, *map(int, place.split(",")))
        PromptTrainer.forward_backward = step  # type: ignore[method-assign]
    return train.main(argv)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
