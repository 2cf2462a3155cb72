"""Second stages on runs that are trained once."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.fixture
def second(make_trainer: Callable, first_stages: Callable) -> Callable:
    """``second("lws", ("CoOp",), "KEY", "value")``: a second stage on a run of CoOp."""

    def make(method: str, first: tuple[str, ...] = ("CoOp",), *options: str, **more):
        node = ("TRAINER.TWO_STAGE.METHOD", method)
        node += ("TRAINER.TWO_STAGE.RUN", str(first_stages(*first)))
        return make_trainer("TwoStage", "DATASET.IMBALANCE.RATIO", "0.25", *node, *options, **more)

    return make
