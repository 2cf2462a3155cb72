"""A signal lets the step in progress finish; a second one does not wait."""

from __future__ import annotations

import os
import signal
import threading

import pytest
import torch

from npt_plugin.system import ranks
from npt_plugin.system.signals import (
    NUMBERS,
    Stopped,
    shielded,
    stop_here,
    stop_signals,
    whole_steps,
)

needs_main_thread = pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(),
    reason="signals arrive in the main thread",
)


@needs_main_thread
def test_a_signal_waits_for_the_step_and_a_second_does_not():
    steps, before = [], signal.getsignal(signal.SIGINT)  # a shell's background job ignores it
    with pytest.raises(Stopped) as stop, stop_signals(), whole_steps():
        signal.raise_signal(signal.SIGTERM)
        steps.append("finished")
        stop_here()
    assert steps == ["finished"] and stop.value.code == 143
    with pytest.raises(Stopped), stop_signals():
        signal.raise_signal(signal.SIGINT)  # outside of steps: at once
    with pytest.raises(Stopped), stop_signals(), whole_steps():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    stop_here()  # nothing is left of them
    assert signal.getsignal(signal.SIGINT) is before


@needs_main_thread
def test_two_different_signals_are_not_one_asked_twice():
    with pytest.raises(Stopped) as stop, stop_signals(), whole_steps():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        stop_here()
    assert stop.value.signal == "SIGTERM"


@needs_main_thread
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 128 + 15), (signal.SIGINT, 7)])
def test_a_forked_worker_ends_quietly_and_leaves_the_run_alone(number, code):
    with stop_signals():
        child = os.fork()
        if not child:
            signal.raise_signal(number)
            os._exit(7)  # Ctrl-C reaches workers too: the run ends them, not the signal
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == code
        stop_here()


@needs_main_thread
@pytest.mark.parametrize("number", NUMBERS)
def test_what_clusters_send_stops_a_run_after_its_step(number):
    with pytest.raises(Stopped) as stop, stop_signals(), whole_steps():
        signal.raise_signal(number)
        stop_here()
    assert stop.value.code == 128 + number


@needs_main_thread
def test_a_few_writes_at_an_end_are_not_cut_short_by_a_signal_that_insists():
    with pytest.raises(Stopped), stop_signals():
        with shielded():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)
        stop_here()


def test_in_another_thread_nothing_is_installed():
    seen = []

    def work():
        with stop_signals():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]


@needs_main_thread
def test_shields_of_several_threads_leave_nothing_behind():
    """One may end in the middle of another's."""
    first, second = shielded(), shielded()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    with stop_signals():
        signal.raise_signal(signal.SIGTERM)  # the second still holds
    second.__exit__(None, None, None)
    with pytest.raises(Stopped), stop_signals():
        signal.raise_signal(signal.SIGTERM)


@needs_main_thread
def test_who_has_lost_another_process_is_not_interrupted_by_what_torchrun_sends(monkeypatch):
    monkeypatch.setattr(ranks, "_WORD", ranks.timedelta(milliseconds=50))
    ranks.belong(2, 0, torch.distributed.HashStore())
    with stop_signals():
        lost = ranks.lost(RuntimeError("connection closed"))
        signal.raise_signal(signal.SIGTERM)  # the record of the loss is still to be written
    assert isinstance(lost, ranks.Lost) and ranks.ending()
    ranks.belong()
    with pytest.raises(Stopped), stop_signals():
        signal.raise_signal(signal.SIGTERM)
