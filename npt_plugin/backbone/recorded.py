"""Small passes of a frozen tower on a GPU, recorded: one launch starts all of their kernels.

A step of few prompts and images is bound by starting kernels, not by running them
(``launches.py``). From the second pass with the same shapes on, forward and backward of a tower are
CUDA graphs: what comes in is copied to where the recording reads it, the graph runs, what comes out
is copied. These are the same kernels on the same numbers.

Whatever a recording would not notice ends it: weights that learn, or lie elsewhere than when it was
made, and modules that were put in or taken out. Then the pass runs as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from npt_plugin.backbone.frozen_linear import chosen_plain, ordinary

Pass: TypeAlias = Callable[..., Tensor]
"""Tensors to one tensor, with nothing else that changes from call to call."""

_MOST = 4
"""Recordings of one tower, each of which keeps its activations. Further shapes run as they are."""


def replayed(tower: nn.Module, run: Pass, *inputs: Tensor) -> Tensor:
    """``run(*inputs)``, by a recording where there can be one.

    Args:
        tower: All that ``run`` reads beside its inputs belongs to this module.
        run: Does the same for inputs of the same shapes, and neither waits nor draws numbers.
        inputs: On one device. What wants a gradient gets it.
    """
    if not _recordable(tower, inputs):
        return run(*inputs)
    known = _KNOWN.get(tower)
    if known is None or not known.parts.unchanged():
        known = _KNOWN[tower] = _Known(tower)
    return known.run(run, inputs)


class _Known:
    """The recordings of one tower, by what they were made for."""

    def __init__(self, tower: nn.Module) -> None:
        self.parts = _Parts(tower)
        self.seen: set[Hashable] = set()
        self.recordings: dict[Hashable, Recording | None] = {}

    def run(self, run: Pass, inputs: Sequence[Tensor]) -> Tensor:
        """By a recording; as it is the first time, when memory and lazy parts are still sorted."""
        key = _key(inputs)
        if key not in self.recordings:
            if key not in self.seen or len(self.recordings) == _MOST or self.parts.learns:
                self.seen.add(key)
                return run(*inputs)
            self.recordings[key] = _recording(run, inputs)
        recording = self.recordings[key]
        return run(*inputs) if recording is None else recording(*inputs)


_KNOWN: WeakKeyDictionary[nn.Module, _Known] = WeakKeyDictionary()


def _recordable(tower: nn.Module, inputs: Sequence[Tensor]) -> bool:
    """Whether anything forbids a recording that is known before one is looked up."""
    return (
        on_gpu(inputs)
        and not torch.compiler.is_compiling()
        and ordinary(*inputs)
        and not tower.training  # dropout would draw
        and not chosen_plain()
        and not torch.cuda.is_current_stream_capturing()
    )


def on_gpu(inputs: Sequence[Tensor]) -> bool:
    """Whether there are graphs where these are."""
    return all(x.device.type == "cuda" for x in inputs)


def _key(inputs: Sequence[Tensor]) -> Hashable:
    wanted = torch.is_grad_enabled()
    cast = torch.is_autocast_enabled("cuda") and torch.get_autocast_dtype("cuda")
    return cast, tuple((x.shape, x.dtype, x.device, wanted and x.requires_grad) for x in inputs)


class _Parts:
    """What a recording reads of a tower, and where it lies."""

    def __init__(self, tower: nn.Module) -> None:
        modules = list(tower.modules())
        self.children = [(m._modules, list(m._modules.values())) for m in modules]
        self.tensors = [
            (held, name, tensor, tensor.data_ptr(), tensor.requires_grad)
            for module in modules
            for held in (module._parameters, module._buffers)
            for name, tensor in held.items()
            if tensor is not None
        ]
        self.learns = any(learns for *_, learns in self.tensors)

    def unchanged(self) -> bool:
        """Whether all of it is where it was, by looking at places, not at numbers."""
        return all(list(now.values()) == was for now, was in self.children) and all(
            held.get(name) is tensor
            and tensor.data_ptr() == place
            and tensor.requires_grad is learns
            for held, name, tensor, place, learns in self.tensors
        )


def _recording(run: Pass, inputs: Sequence[Tensor]) -> Recording | None:
    try:
        return Recording(run, inputs)
    except RuntimeError as error:  # of CUDA: memory, or an operator that cannot be recorded
        why = str(error).strip().partition("\n")[0]
        shape = tuple(inputs[0].shape)
        print(f"A pass of {shape} numbers is not recorded and stays slower: {why}")
        return None


class Recording:
    """A pass in two CUDA graphs, forward and backward.

    Args:
        run: As in ``replayed``.
        like: Inputs like those it will be called with; what wants a gradient does.
    """

    def __init__(self, run: Pass, like: Sequence[Tensor]) -> None:
        wanted = torch.is_grad_enabled()
        self.inputs = [x.detach().clone().requires_grad_(wanted and x.requires_grad) for x in like]
        self.learning = [x for x in self.inputs if x.requires_grad]
        self.turn = 0
        _warm_up(lambda: self._pull_back(run(*self.inputs)))
        self.forward, self.out = _captured(lambda: run(*self.inputs))
        if self.learning:
            self.gradient = torch.zeros_like(self.out, requires_grad=False)
            self.backward, self.gradients = _captured(self._pull_back_out, self.forward)

    def _pull_back_out(self) -> Sequence[Tensor | None]:
        return self._pull_back(self.out, self.gradient)

    def _pull_back(self, out: Tensor, gradient: Tensor | None = None) -> Sequence[Tensor | None]:
        """Gradients of what learns; the graph stays, so that it can be asked for them again."""
        if not self.learning:
            return ()
        gradient = torch.zeros_like(out) if gradient is None else gradient
        with torch.autocast(out.device.type, enabled=False):  # as outside of a recording
            return torch.autograd.grad(
                out, self.learning, gradient, retain_graph=True, allow_unused=True
            )

    def __call__(self, *inputs: Tensor) -> Tensor:
        """What ``run(*inputs)`` gives, with its gradients."""
        if self.learning:
            return _Replayed.apply(self, *inputs)
        return self.play(inputs)

    def play(self, inputs: Sequence[Tensor]) -> Tensor:
        """The forward pass; a copy, as the next one writes over what this one gives."""
        with torch.no_grad():
            torch._foreach_copy_(self.inputs, list(inputs))
        self.forward.replay()
        self.turn += 1
        return self.out.detach().clone()

    def play_back(self, gradient: Tensor) -> list[Tensor | None]:
        """Gradient of each input from that of the last forward pass's result."""
        self.gradient.copy_(gradient)
        self.backward.replay()
        found = iter(self.gradients)
        of_each = [next(found) if x.requires_grad else None for x in self.inputs]
        return [None if g is None else g.clone() for g in of_each]


class _Replayed(torch.autograd.Function):
    """A pass by its recording; a backward that comes after another forward repeats its own."""

    @staticmethod
    def forward(ctx: Any, recording: Recording, *inputs: Tensor) -> Tensor:
        ctx.save_for_backward(*inputs)
        out = recording.play(inputs)
        ctx.recording, ctx.turn = recording, recording.turn
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        recording: Recording = ctx.recording
        if recording.turn != ctx.turn:  # its activations are those of a later pass
            recording.play(ctx.saved_tensors)
            ctx.turn = recording.turn
        return None, *recording.play_back(gradient)


def _warm_up(work: Callable[[], Any]) -> None:
    """Run three times beside the current stream, as recording wants it: libraries set up then."""
    now, beside = torch.cuda.current_stream(), torch.cuda.Stream()
    beside.wait_stream(now)
    with torch.cuda.stream(beside):
        for _ in range(3):
            work()
    now.wait_stream(beside)


def _captured(work: Callable[[], Any], after: Any = None) -> tuple[Any, Any]:
    """A graph of ``work``, and what it gives whenever the graph is replayed.

    Args:
        work: Asks for nothing and waits for nothing.
        after: The graph it follows and whose memory it may go on in.
    """
    graph = torch.cuda.CUDAGraph()
    pool = None if after is None else after.pool()
    # a loader's thread that pins memory meanwhile is none of the recording's concern
    with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
        given = work()
    return graph, given
