"""Words and tensors between the processes of one run; each does nothing where there is only one.

How a step over N processes equals the step of one: each process sees its rows of the batch, all
gather the rows' features, and from there on every process computes the whole batch, class means,
priors and noise included. The gradient that reaches a process's own rows is multiplied by N, and
the gradients of the parameters are averaged: what all computed alike stays as it is, what each
computed of its own rows adds up.
"""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from typing import Any

import torch
from torch import Tensor, distributed

from npt_plugin.errors import UserError
from npt_plugin.system import ranks

# -- joining -----------------------------------------------------------------------------------


def together(action: Callable[[], Any]) -> Any:
    """``action()`` in every process that was started for this run; only the first one prints.

    Raises:
        UserError: If the others do not come.
    """
    told = ranks.launched()
    if told is None:
        if ranks.half_launched():
            print(ranks.half_launched(), file=sys.stderr)
        return action()
    _join(*told)
    with ExitStack() as quiet:
        if not ranks.writes():
            nowhere = quiet.enter_context(open(os.devnull, "w", encoding="utf-8"))
            quiet.enter_context(redirect_stdout(nowhere))
            quiet.enter_context(redirect_stderr(nowhere))
        result = action()
    wait()  # who fails does not: its end is what tells the others
    distributed.destroy_process_group()
    ranks.belong()
    return result


def _join(own: int, number: int) -> None:
    # An optimiser's first step imports this, and a default argument in it then keeps the group. The
    # group's threads would outlive it and could meet the end of Python: SIGABRT after a good run.
    from torch.distributed import fsdp  # noqa: F401

    place = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
    cuda = torch.cuda.is_available()
    if cuda:
        local = int(os.environ.get("LOCAL_RANK", own))
        torch.cuda.set_device(local % torch.cuda.device_count())
    both = cuda and distributed.is_nccl_available()
    try:
        store, _, _ = next(distributed.rendezvous("env://", own, number, timeout=ranks.PATIENCE))
        distributed.init_process_group(
            "cpu:gloo,cuda:nccl" if both else "gloo",
            store=distributed.PrefixStore("npt", store),
            rank=own,
            world_size=number,
            timeout=ranks.PATIENCE,
        )
    except (RuntimeError, ValueError) as error:
        raise UserError(
            f"WORLD_SIZE is {number}, but the processes did not find each other at {place} within "
            f"{ranks.spoken(ranks.PATIENCE)} ({ranks.first_line(error)}): start all of them "
            "through torchrun, or unset WORLD_SIZE to work in one process."
        ) from None
    ranks.belong(number, own, store)


# -- words -------------------------------------------------------------------------------------


def _meet(collective: Callable[..., Any], *arguments: Any, **options: Any) -> None:
    """Call a function of ``torch.distributed`` in which all processes take part.

    Raises:
        Lost: If one of them is gone, with the reason it gave.
    """
    try:
        collective(*arguments, **options)
    except RuntimeError as error:
        raise ranks.lost(error) from None


def largest(number: int) -> int:
    """The largest of the numbers that the processes give."""
    if ranks.alone():
        return number
    found = torch.tensor([number])
    _meet(distributed.all_reduce, found, op=distributed.ReduceOp.MAX)
    return int(found)


def wait() -> None:
    """Until every process is here."""
    largest(0)


def require_same(text: str, refusal: str) -> None:
    """Refuse to go on where processes differ.

    Args:
        text: Must be the same everywhere.
        refusal: What is wrong and what to do; a sentence that goes on after "Process 1 of 2".

    Raises:
        UserError: In every process, naming the first that differs from process 0.
    """
    if ranks.alone():
        return
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
    own = torch.frombuffer(bytearray(digest), dtype=torch.uint8)
    found = [torch.empty_like(own) for _ in range(ranks.size())]
    _meet(distributed.all_gather, found, own)
    for other, theirs in enumerate(found):
        if not torch.equal(theirs, found[0]):
            raise UserError(f"Process {other} of {ranks.size()} {refusal}")


def require_shared(path: str | os.PathLike[str]) -> None:
    """Refuse an output folder that the processes do not share.

    Args:
        path: A file that the first process has written.

    Raises:
        UserError: In a process that does not find it.
    """
    wait()
    if not os.path.exists(path):
        raise UserError(
            f"{path} was written by process 0, but process {ranks.rank()} on "
            f"{socket.gethostname()} does not see it: give an --output-dir that all machines share."
        )


# -- tensors -----------------------------------------------------------------------------------


def joined(rows: Tensor, counts: Sequence[int]) -> Tensor:
    """The rows of all processes in their order, without a graph.

    Args:
        rows: (n, ...), of which this process's count is taken; any dtype.
        counts: Rows of each process.

    Returns:
        (sum of counts, ...), the same in every process.
    """
    if ranks.alone():
        return rows
    own = rows.new_zeros(max(counts), *rows.shape[1:])
    own[: counts[ranks.rank()]] = rows[: counts[ranks.rank()]]
    found = [torch.empty_like(own) for _ in counts]
    _meet(distributed.all_gather, found, own)
    return torch.cat([part[:n] for part, n in zip(found, counts, strict=True)])


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, counts: Sequence[int]) -> Tensor:
        ctx.counts, ctx.shape = counts, rows.shape
        return joined(rows, counts)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        start, own = sum(ctx.counts[: ranks.rank()]), ctx.counts[ranks.rank()]
        back = grad.new_zeros(ctx.shape)
        back[:own] = grad[start : start + own] * ranks.size()
        return back, None


def gathered(rows: Tensor, total: int) -> Tensor:
    """The rows of the whole batch, with a graph.

    Args:
        rows: (n, ...), this process's share of ``total`` rows.
        total: B.

    Returns:
        (B, ...), the same in every process.
    """
    return rows if ranks.alone() else _Gather.apply(rows, ranks.shares(total))


def average_gradients(parameters: Iterable[Tensor]) -> None:
    """Replace every gradient by its mean over the processes, in one message."""
    if ranks.alone():
        return
    grads = [p.grad for p in parameters if p.grad is not None]
    if not grads:
        return
    flat = torch.cat([grad.reshape(-1) for grad in grads])
    _meet(distributed.all_reduce, flat)
    flat /= ranks.size()
    for grad, mean in zip(grads, flat.split([g.numel() for g in grads]), strict=True):
        grad.copy_(mean.view_as(grad))


def summed(values: Tensor) -> Tensor:
    """Sum of a tensor over the processes."""
    if not ranks.alone():
        _meet(distributed.all_reduce, values)
    return values


@torch.no_grad()
def copy_from_first(tensors: Iterable[Tensor]) -> None:
    """Put the first process's values into tensors of all of them, in place."""
    for tensor in () if ranks.alone() else tensors:
        _meet(distributed.broadcast, tensor.data, src=0)
