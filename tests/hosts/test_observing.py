"""What a host does is seen, and not changed."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from npt_plugin.hosts.observing import WatchLosses, watch_parsing

SCORES, TARGET = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)), torch.arange(4) % 3


@pytest.mark.parametrize(
    "loss",
    [
        lambda: F.cross_entropy(SCORES, TARGET),
        lambda: F.cross_entropy(input=SCORES, target=TARGET, label_smoothing=0.1),
        lambda: nn.CrossEntropyLoss()(SCORES, TARGET),
        lambda: nn.NLLLoss()(SCORES, TARGET),
        lambda: F.nll_loss(SCORES, target=TARGET),
    ],
)
def test_each_way_to_compute_the_loss_is_seen_once_and_gives_the_same(loss) -> None:
    seen = []
    with WatchLosses(lambda *call: seen.append(call)):
        value = loss()
    ((scores, target, result),) = seen
    assert scores is SCORES and target is TARGET and result is value
    assert torch.equal(value, loss()) and len(seen) == 1


def test_other_losses_are_not_reported() -> None:
    with WatchLosses(lambda *call: pytest.fail("reported")):
        F.mse_loss(SCORES, SCORES)
        F.kl_div(SCORES, SCORES)


def test_what_else_is_computed_is_seen_where_asked_for() -> None:
    seen = []
    with WatchLosses(lambda *call: pytest.fail("reported"), lambda *call: seen.append(call)):
        product = SCORES @ SCORES.T
    function, arguments, result = seen[-1]
    assert function is torch.Tensor.matmul and arguments[0] is SCORES and result is product


class Parent:
    def read(self, batch):
        return batch, "read"

    def _private(self, batch, *, twice=False):
        return batch, twice


class Child(Parent):
    def read(self, batch):
        return super().read(batch)[0], "child"

    def parse_batch_train(self, batch):
        return self.read(batch)

    def forward_backward(self, batch):
        return self.parse_batch_train(batch)


def test_methods_of_every_name_report_what_they_return() -> None:
    calls = []
    child, other = Child(), Child()
    watch_parsing(child, lambda arguments, result: calls.append((arguments, result)))
    assert child.forward_backward("b") == ("b", "child")
    assert child._private("c", twice=True) == ("c", True)
    other.read("d")
    parsed = (("b",), ("b", "child"))
    assert calls == [parsed, parsed, (("c", True), ("c", True))]
