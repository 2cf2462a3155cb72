"""SIGINT, SIGTERM, SIGUSR1 and SIGUSR2 let the optimiser step in progress finish before the end.

The last two are what clusters send before a time limit strikes or another job takes the place.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

from npt_plugin.system.ranks import alone, ending

NUMBERS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)  # Windows has the first two
)
"""The signals that ask a run to end."""


class Stopped(BaseException):
    """The run was asked to end; not an ``Exception``, so nothing on the way swallows it.

    Attributes:
        signal: Name of the signal.
        code: Exit code, 128 + its number, as shells expect.
    """

    def __init__(self, number: int) -> None:
        self.signal, self.code = signal.Signals(number).name, 128 + number
        super().__init__(f"interrupted by {self.signal}")


class _State:
    def __init__(self) -> None:
        self.inside = set[object]()  # runs in the middle of an epoch
        self.shields = set[object]()  # of any thread
        self.received = 0
        self.process = 0

    def handle(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self.process:  # a worker of the data loader, forked from the run
            if number == signal.SIGTERM:
                os._exit(128 + number)
            return  # the others go to workers too; the run itself ends them
        again = self.received == number and alone()  # torchrun repeats what a terminal has sent
        self.received = number
        if self.shields or ending():
            return
        if again or not self.inside:  # whoever asks the same twice does not want to wait
            raise Stopped(number)


_STATE = _State()


@contextmanager
def stop_signals() -> Iterator[None]:
    """Turn the signals into ``Stopped``; does nothing outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _STATE.received, _STATE.process = 0, os.getpid()
    _STATE.inside.clear()  # of a run that broke off and was never closed
    old = {n: signal.signal(n, _STATE.handle) for n in NUMBERS}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
        _STATE.received = 0


def whole_steps() -> AbstractContextManager[None]:
    """While inside, a signal waits for the next ``stop_here``; runs may be inside together."""
    return _within(_STATE.inside)


def shielded() -> AbstractContextManager[None]:
    """While inside, no signal interrupts, however often it comes: for a few writes at an end.

    Whoever goes on afterwards, also in another thread, asks ``stop_here``.
    """
    return _within(_STATE.shields)


@contextmanager
def _within(those: set[object]) -> Iterator[None]:
    """One of those who are inside; they may leave in any order, each in a thread of its own."""
    one = object()
    those.add(one)
    try:
        yield
    finally:
        those.discard(one)


def stop_here(agreed: Callable[[int], int] = int) -> None:
    """Between two steps: end the run if it was asked to.

    Args:
        agreed: Makes one number of those of several processes, so that all end after one step.

    Raises:
        Stopped: If a signal came since ``stop_signals``.
    """
    received = agreed(_STATE.received)
    if received:
        raise Stopped(received)
