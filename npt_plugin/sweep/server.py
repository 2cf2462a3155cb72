"""A process that has everything loaded, and forks servers, which fork one child for each run.

A child begins where a run by hand begins after its imports: no run before it has left anything in
its memory, its random states or its registries, and what it takes or breaks ends with it. What it
saves are the imports, and the loading of CLIP, whose memory it shares until it writes there.

A server reads a task a line, and answers each with the child's exit code, as Python has it
(``-9``: killed by signal 9). SIGTERM is passed on to the child; after it nothing new is started.
"""

from __future__ import annotations

import gc
import importlib
import json
import multiprocessing
import os
import random
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from npt_plugin.backbone import kept
from npt_plugin.backbone.openai import byte_pairs
from npt_plugin.registration import register_all
from npt_plugin.runs.versions import installed
from npt_plugin.sweep.nursery import MESSAGE
from npt_plugin.sweep.task import Task, carry_out, read_task
from npt_plugin.system.memory import keep_freed_memory
from npt_plugin.system.processes import die_with
from npt_plugin.system.signals import NUMBERS

PRELOADED = ("torchvision.transforms", "torch.utils.tensorboard")
"""What runs import late, beside our own modules."""

SELDOM = ("sklearn.cluster",)
"""What some runs import: a server does once one of its runs has."""

STOPPED = 128 + signal.SIGTERM
"""Answer to a task that comes after SIGTERM."""


class Server:
    """Forks children, one at a time.

    Args:
        tasks: File descriptor to read tasks from.
        answers: File descriptor to write answers to.
    """

    def __init__(self, tasks: int, answers: int) -> None:
        self.tasks, self.answers = tasks, answers
        self.context = multiprocessing.get_context("fork")
        self.child: Any = None
        self.stopped = False

    def serve(self) -> None:
        """Until the tasks end."""
        signal.signal(signal.SIGTERM, self._stop)
        for number in set(NUMBERS) - {signal.SIGTERM}:  # who gets these passes them on as SIGTERM
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, NUMBERS)
        with os.fdopen(self.tasks, encoding="utf-8") as tasks:
            for line in tasks:
                code = STOPPED if self.stopped else self._run(read_task(line), tasks.fileno())
                os.write(self.answers, f"{code}\n".encode())

    def _run(self, task: Task, tasks: int) -> int:
        reading, writing = self.context.Pipe(duplex=False)
        gc.collect()
        gc.freeze()  # a child that collects does not touch, and so copy, what is ours
        old = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        given = (task, writing, self.answers, os.getpid(), old)
        self.child = self.context.Process(target=_child, args=given)
        self.child.start()
        signal.pthread_sigmask(signal.SIG_SETMASK, old)
        writing.close()
        if tasks in wait([self.child.sentinel, tasks]):  # whoever asked is gone
            self.child.terminate()
        self.child.join()
        code: int = self.child.exitcode
        self.child = None
        _keep(reading)
        return code

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopped = True
        if self.child is not None:
            self.child.terminate()


def _child(task: Task, wanted: Connection, answers: int, parent: int, mask: set[int]) -> None:
    os.close(answers)  # their end says that the server is gone, whatever outlives it
    for number in NUMBERS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    die_with(parent)
    before = len(kept.asked())
    code = carry_out(task)
    wanted.send((kept.asked()[before:], [name for name in SELDOM if name in sys.modules]))
    sys.exit(code)


def _keep(reading: Connection) -> None:
    """Load the CLIPs and import the modules that a child had to, for the next."""
    wanted: Sequence[kept.Wanted]
    modules: Sequence[str]
    try:
        wanted, modules = reading.recv()
    except (EOFError, OSError):
        return  # it was killed
    for name in modules:
        importlib.import_module(name)
    # threads of ours would not be there in a child, which would wait for them for ever
    torch.get_num_threads()  # PyTorch sets the number when it is first asked, so not inside
    with threadpool_limits(1, user_api="openmp"):
        for one in wanted:
            kept.keep(one)


def preload() -> None:
    """Import and build what every run needs; no thread is started and no device touched."""
    for name in PRELOADED:
        importlib.import_module(name)
    register_all(base=True)
    byte_pairs()
    installed()


def nursery(channel: socket.socket) -> None:
    """Fork a server for each message on ``channel``, and answer with its number; until it is shut.

    A message brings a server's own environment variables and its three files: tasks, answers, and
    what it prints.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, NUMBERS)  # they wait until a server knows what to do
    while True:
        message, files, _, _ = socket.recv_fds(channel, MESSAGE, 3)
        _reap(wait=not message)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            channel.close()
            os._exit(_serve(json.loads(message), *files))
        for file in files:
            os.close(file)
        channel.send(str(pid).encode())


def _reap(wait: bool) -> None:
    """Take note of servers that have ended, so that their time counts as this process's."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, 0 if wait else os.WNOHANG)[0]:
            pass


def _serve(environment: dict[str, str], tasks: int, answers: int, output: int) -> int:
    os.environ.update(environment)
    for number in (1, 2):
        os.dup2(output, number)
    os.close(output)
    Server(tasks, answers).serve()
    return 0


def main() -> None:
    """Load everything, then fork servers for whoever holds the other end of standard input."""
    keep_freed_memory()
    state = random.getstate(), torch.get_rng_state()
    with socket.socket(fileno=os.dup(0)) as channel:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        gc.disable()  # of what imports make nearly all stays: looking for the rest takes a second
        preload()
        gc.freeze()
        gc.enable()
        random.setstate(state[0])
        torch.set_rng_state(state[1])
        nursery(channel)
    os._exit(0)  # whoever waits need not wait for the interpreter to clear up


if __name__ == "__main__":
    main()
