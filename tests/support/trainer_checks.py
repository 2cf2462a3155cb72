"""What tests of trainers ask of one: what it has learned, what it says of a batch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor


def learned(trainer: Any) -> dict[str, Tensor]:
    """Copies of the parameters that train, by name."""
    return {name: p.detach().clone() for name, p in trainer.model.learned().items()}


def assert_same(a: dict[str, Tensor], b: dict[str, Tensor]) -> None:
    """Bit for bit, and not because there is nothing to compare."""
    assert a.keys() == b.keys() and a
    for name in a:
        assert torch.equal(a[name], b[name]), name


def cut_short(trainer: Any, epoch: int = 1) -> None:
    """Train up to the beginning of an epoch, counted from 0, where Ctrl-C ends it."""
    run_epoch = trainer.run_epoch

    def until_then() -> None:
        if trainer.epoch == epoch:
            raise KeyboardInterrupt
        run_epoch()

    trainer.run_epoch = until_then
    with pytest.raises(KeyboardInterrupt):
        trainer.train()


def outputs_of(trainer: Any) -> Any:
    """What its model says of the first test batch, in evaluation."""
    trainer.set_model_mode("eval")
    images, _ = trainer.parse_batch_test(next(iter(trainer.test_loader)))
    with torch.no_grad():
        return trainer.model.encode(images)


def first_logits(trainer: Any, images: Tensor) -> Tensor:
    """Logits of the first stage that a ``TwoStage`` trainer stands on."""
    with torch.no_grad():
        return trainer.model.first.encode(images).logits
