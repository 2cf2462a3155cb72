"""Passes of a tower by recordings, with stand-ins for CUDA graphs; tests/gpu has real ones."""

from __future__ import annotations

import copy
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from tolerance import DOUBLE, gap
from torch import Tensor, nn

from npt_plugin.backbone import recorded
from npt_plugin.backbone.frozen_linear import plain_kernels


class Graph:
    """Does its work again when replayed, into the tensors it gave the first time.

    Of activations it writes over the result alone, which is all that tanh keeps.
    """

    made: int = 0

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work, given = work, work()
        if isinstance(given, tuple):  # gradients, some of them expanded
            given = tuple(None if g is None else g.clone() for g in given)
        self.given = given
        Graph.made += 1

    def replay(self) -> None:
        for was, now in zip(_flat(self.given), _flat(self.work()), strict=True):
            if was is not None:
                was.data.copy_(now.data)


def _flat(given: Any) -> list[Tensor | None]:
    return list(given) if isinstance(given, tuple) else [given]


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch):
    """A CPU's tensors pass for a GPU's."""

    def captured(work: Callable[[], Any], after: Any = None) -> tuple[Graph, Any]:
        graph = Graph(work)
        return graph, graph.given

    monkeypatch.setattr(Graph, "made", 0)
    monkeypatch.setattr(recorded, "_captured", captured)
    monkeypatch.setattr(recorded, "_warm_up", lambda work: work())
    monkeypatch.setattr(recorded, "on_gpu", lambda inputs: True)
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: False)


class Tower(nn.Module):
    """tanh(x W + sum of prompts), x W without learning."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Linear(6, 4, bias=False).double()
        self.requires_grad_(False).eval()
        self.runs = 0

    def forward(self, x: Tensor, *prompts: Tensor) -> Tensor:
        return recorded.replayed(self, self.plain, x, *prompts)

    def plain(self, x: Tensor, *prompts: Tensor) -> Tensor:
        self.runs += 1
        return torch.tanh(self.map(x) + sum(p.sum() for p in prompts))


def _inputs(seed: int, *rows: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    found = [torch.randn(n, 6, generator=generator, dtype=torch.float64) for n in rows]
    return [t.requires_grad_() for t in found]


def _pulled(run: Callable[..., Tensor], inputs: list[Tensor]) -> list[Tensor]:
    out = run(*inputs)
    weights = torch.linspace(-1, 2, out.numel(), dtype=out.dtype).view_as(out)
    return [out.detach(), *torch.autograd.grad((out * weights).sum(), inputs)]


def _same(tower: Tower, seed: int, *rows: int) -> None:
    found, expected = (_pulled(run, _inputs(seed, *rows)) for run in (tower, tower.plain))
    for ours, plain in zip(found, expected, strict=True):
        assert gap(ours, plain) <= DOUBLE


def test_the_second_pass_of_a_shape_is_recorded_and_all_give_the_plain_numbers():
    tower = Tower()
    for seed in range(5):
        _same(tower, seed, 3, 2)
        assert Graph.made == (2 if seed else 0)  # forward and backward


def test_without_a_gradient_only_forward_is_recorded():
    tower = Tower()
    with torch.no_grad():
        found = [tower(*_inputs(seed, 3)) for seed in range(4)]
        for seed, out in enumerate(found):  # earlier results are not written over
            assert gap(out, tower.plain(*_inputs(seed, 3))) <= DOUBLE
    assert Graph.made == 1


def test_shapes_and_what_learns_have_recordings_of_their_own():
    tower = Tower()
    for _ in range(3):
        _same(tower, 1, 3, 2)
        _same(tower, 2, 5, 2)
        x, prompt = _inputs(3, 3, 2)
        x.requires_grad_(False)
        tower(x, prompt).sum().backward()
        assert x.grad is None and prompt.grad is not None
    assert Graph.made == 6


def test_a_backward_after_another_forward_is_that_of_its_own():
    tower = Tower()
    for seed in range(3):
        _same(tower, seed, 3)
    (first,), (second,) = _inputs(11, 3), _inputs(12, 3)
    outs = tower(first), tower(second)
    for leaf, out in zip((first, second), outs, strict=True):  # the first's activations are gone
        (found,) = torch.autograd.grad(out.sum(), leaf)
        again = leaf.detach().clone().requires_grad_()
        (expected,) = torch.autograd.grad(tower.plain(again).sum(), again)
        assert gap(found, expected) <= DOUBLE


def test_a_gradient_can_be_asked_for_twice():
    tower = Tower()
    for seed in range(3):
        _same(tower, seed, 3)
    (leaf,) = _inputs(4, 3)
    out = tower(leaf)
    found = [torch.autograd.grad(out.sum(), leaf, retain_graph=True)[0] for _ in range(2)]
    assert gap(found[1], found[0]) <= DOUBLE


def test_an_input_without_a_part_gets_no_gradient():
    tower = Tower()
    tower.plain = lambda x, *_: torch.tanh(tower.map(x))
    for seed in range(3):
        x, unused = _inputs(seed, 3, 2)
        tower(x, unused).sum().backward()
        assert x.grad is not None and unused.grad is None
    assert Graph.made == 2


def test_only_so_many_shapes_are_recorded():
    tower = Tower()
    for rows in range(1, recorded._MOST + 4):
        for _ in range(3):
            _same(tower, rows, rows)
    assert Graph.made == 2 * recorded._MOST


@pytest.mark.parametrize("change", ["place", "number", "learns", "parameter", "module", "more"])
def test_what_a_recording_would_not_notice_ends_it(change: str):
    tower = Tower()
    for seed in range(3):
        _same(tower, seed, 3)
    before = recorded._KNOWN[tower]
    weight = tower.map.weight
    if change == "place":
        weight.data = 2 * weight.data
    elif change == "number":
        weight.data.mul_(2)
    elif change == "learns":
        weight.requires_grad_()
    elif change == "parameter":
        tower.map.weight = nn.Parameter(2 * weight.data, requires_grad=False)
    elif change == "module":
        tower.map = copy.deepcopy(tower.map)
    else:
        tower.more = nn.Identity()
    made = Graph.made
    for seed in range(4):
        _same(tower, seed, 3)
    kept = recorded._KNOWN[tower] is before
    assert kept is (change == "number")  # a graph reads the weights' numbers anew
    assert Graph.made == made + (0 if change in ("number", "learns") else 2)


@pytest.mark.parametrize("reason", ["cpu", "training", "plain", "fake", "transform"])
def test_where_nothing_is_recorded(reason: str, monkeypatch: pytest.MonkeyPatch, capsys):
    tower, run = Tower(), _same
    if reason == "cpu":
        monkeypatch.undo()
    elif reason == "training":
        tower.train()
    elif reason == "fake":
        kind = type("Other", (Tensor,), {})
        run = lambda tower, seed, *rows: tower(*(t.as_subclass(kind) for t in _inputs(seed, *rows)))  # noqa: E731
    elif reason == "transform":
        run = lambda tower, seed, *rows: torch.func.vmap(tower)(*_inputs(seed, *rows))  # noqa: E731
    for seed in range(4):
        if reason == "plain":
            with plain_kernels():
                run(tower, seed, 3)
        else:
            run(tower, seed, 3)
    assert Graph.made == 0
    assert capsys.readouterr().out == ""  # nor tried


def test_what_cannot_be_recorded_is_said_once_and_runs_as_it_is(monkeypatch, capsys):
    def captured(work: Callable[[], Any], after: Any = None) -> tuple[Any, Any]:
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nmore")

    monkeypatch.setattr(recorded, "_captured", captured)
    tower = Tower()
    for seed in range(4):
        _same(tower, seed, 3)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("A pass of (3, 6) numbers is not recorded") and line.endswith(
        "stream is capturing"
    )


def test_recordings_end_with_their_tower():
    tower = Tower()
    for seed in range(3):
        _same(tower, seed, 3)
    known = weakref.ref(recorded._KNOWN[tower])
    for recording in known().recordings.values():  # a graph of CUDA's keeps no Python
        recording.forward.work = recording.backward.work = None
    del tower, recording
    gc.collect()
    assert known() is None
