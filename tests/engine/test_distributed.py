"""What of words and tensors between processes can be seen in one process.

tests/trainers/test_several.py and tests/whole/test_several_processes.py start real ones.
"""

import os
import subprocess
import sys

import pytest
import torch

from npt_plugin.engine import distributed
from npt_plugin.errors import UserError
from npt_plugin.system import ranks


@pytest.fixture(autouse=True)
def alone_again():
    yield
    ranks.belong()


@pytest.fixture
def both(monkeypatch):
    """``both(own, other)``: process 0 of two, which hears ``other`` from process 1."""

    def call(other):
        def all_gather(found, own):
            found[0].copy_(own)
            found[1].copy_(other)

        def all_reduce(tensor, op=None):
            tensor.copy_(torch.maximum(tensor, other) if op else tensor + other)

        ranks.belong(2, 0)
        monkeypatch.setattr(distributed.distributed, "all_gather", all_gather)
        monkeypatch.setattr(distributed.distributed, "all_reduce", all_reduce)

    return call


def test_alone_nothing_is_copied():
    rows = torch.ones(3, 2, requires_grad=True)
    assert distributed.gathered(rows, 3) is rows and distributed.joined(rows, [3]) is rows
    assert distributed.summed(rows) is rows and distributed.largest(7) == 7
    distributed.require_same("anything", "differs.")
    distributed.average_gradients([rows])
    distributed.copy_from_first([rows])
    assert distributed.together(lambda: "done") == "done"


def test_rows_come_in_order_and_gradients_go_back_times_n(both):
    both(torch.tensor([[5.0], [0.0]]))  # one row and what fills it up
    own = torch.tensor([[1.0], [2.0]], requires_grad=True)
    whole = distributed.gathered(own, 3)
    assert whole.tolist() == [[1.0], [2.0], [5.0]]
    (whole * torch.tensor([[1.0], [10.0], [100.0]])).sum().backward()
    assert own.grad.tolist() == [[2.0], [20.0]]


def test_a_stand_in_counts_nothing(both):
    both(torch.tensor([[5.0]]))
    ranks.belong(2, 1)  # of a batch of one image the second process has none
    own = torch.tensor([[7.0]], requires_grad=True)
    whole = distributed.gathered(own, 1)
    assert len(whole) == 1
    whole.sum().backward()
    assert own.grad.tolist() == [[0.0]]


def test_gradients_are_averaged(both):
    both(torch.tensor([3.0, 5.0, 0.0]))
    a, b, c = torch.zeros(2), torch.zeros(1, 1), torch.zeros(4)
    a.grad, b.grad = torch.tensor([1.0, 1.0]), torch.tensor([[4.0]])
    distributed.average_gradients([a, c, b])
    assert a.grad.tolist() == [2.0, 3.0] and b.grad.tolist() == [[2.0]] and c.grad is None


def test_who_differs_is_named(both):
    both(torch.zeros(32, dtype=torch.uint8))
    with pytest.raises(UserError, match="Process 1 of 2 has other images."):
        distributed.require_same("a", "has other images.")


def test_a_folder_that_only_one_machine_sees_is_refused(both, tmp_path):
    both(torch.tensor([0]))
    distributed.require_shared(tmp_path)
    with pytest.raises(UserError, match="give an --output-dir that all machines share"):
        distributed.require_shared(tmp_path / "elsewhere")


def test_a_broken_connection_is_a_process_lost(both, monkeypatch):
    both(torch.tensor([0]))
    monkeypatch.setattr(ranks, "_WORD", ranks.timedelta(milliseconds=1))

    def broken(*_, **__):
        raise RuntimeError("Connection closed by peer")

    monkeypatch.setattr(distributed.distributed, "all_reduce", broken)
    ranks.belong(2, 0, torch.distributed.HashStore())
    with pytest.raises(ranks.Lost, match="Connection closed by peer"):
        distributed.largest(0)


def test_others_that_never_come_are_one_sentence(monkeypatch):
    """WORLD_SIZE left over from something else must not hang a run."""
    monkeypatch.setattr(ranks, "PATIENCE", ranks.timedelta(seconds=1))
    told = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": "0"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match="WORLD_SIZE is 2, but the processes did not find each"):
        distributed.together(lambda: None)
    assert ranks.alone()


def test_half_a_launcher_is_said(monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.delenv("RANK", raising=False)
    assert distributed.together(lambda: "alone") == "alone"
    assert "this process works alone" in capsys.readouterr().err


LEAVE = """
import gc, weakref
import torch
from npt_plugin.engine.distributed import distributed, together
from npt_plugin.system import ranks

ranks.launched = lambda: (0, 1)

def work():
    weight = torch.ones(1, requires_grad=True)
    weight.sum().backward()
    torch.optim.SGD([weight], lr=0.1).step()
    return weakref.ref(distributed.group.WORLD)

group = together(work)
gc.collect()
print(group() is None, distributed.is_initialized())
"""


def test_after_the_end_nothing_keeps_the_group():
    """Else its threads would outlive it, and Python would now and then end in SIGABRT."""
    env = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
    words = [sys.executable, "-c", LEAVE]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=100)
    assert done.stdout.split() == ["True", "False"], done.stdout + done.stderr
