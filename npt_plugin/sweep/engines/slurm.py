"""Slurm, through submitit: one array; each task claims runs until its time ends, and is requeued.

Slurm sends SIGUSR2 ``WARNING`` seconds before a time limit: runs then end after their step, keep
their progress, and submitit has the task requeued. Before preemption Slurm sends SIGTERM and
requeues the task itself. Either way no run is lost, and none counts as failed.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from npt_plugin.errors import UserError
from npt_plugin.sweep.engines.local import Local
from npt_plugin.sweep.plan import FOLDER, Plan, read_plan
from npt_plugin.system.files import write_text
from npt_plugin.system.signals import Stopped, stop_signals

TASKS = 8
"""Tasks of an array where nobody says how many."""

MINUTES = 240
"""Time limit of a task where nobody says one."""

WARNING = 120
"""Seconds before the time limit at which runs are asked to end after their step; of a short limit
a quarter, as Slurm warns up to half a minute early."""

TIMEOUTS = 1000
"""How often a task may reach its time limit: each time it has done some of the runs."""

WARNINGS = (signal.SIGUSR1, signal.SIGUSR2)
"""What sites send before a task has to end; submitit's is the second, unless told otherwise."""

LINGER = 120.0
"""Seconds an idle task stays to take over the run of another that dies."""

OURS = ("array", "output", "error", "open-mode", "signal", "requeue", "no-requeue", "job-name")
"""Options of sbatch that the engine sets itself."""


class Slurm:
    """Submits an array and returns; the sweep goes on without this process.

    Args:
        tasks: Of the array, at a time; 0: ``TASKS``.
        options: Of sbatch, such as ``{"partition": "gpu", "gres": "gpu:1", "time": "2:00:00"}``.
        per_device: Processes on each GPU of a task.

    Raises:
        UserError: If submitit is not there, or an option is not one that can be given.
    """

    name, waits = "slurm", False

    def __init__(
        self, tasks: int = 0, options: Mapping[str, str] | None = None, per_device: int = 1
    ) -> None:
        self.tasks, self.per_device = tasks, per_device
        self.options = {key.replace("_", "-"): value for key, value in (options or {}).items()}
        for key in set(self.options) & set(OURS):
            raise UserError(f"--slurm {key}: the engine sets that itself; leave it out.")
        self.minutes = _minutes(self.options.pop("time", str(MINUTES)))
        _submitit()  # said before anything is written

    @property
    def width(self) -> int:
        """Workers of all tasks that run at a time."""
        return (self.tasks or TASKS) * self.per_device

    def start(self, plan: Plan) -> None:
        """Submit; the logs of the tasks lie in ``<output>/.sweep/slurm``.

        Raises:
            UserError: If Slurm is not there, or sbatch refuses.
        """
        tasks = min(self.tasks or TASKS, len(plan.jobs))
        task = Task(str(plan.path), self.per_device)
        array = self._submit(task, tasks, plan.output / FOLDER / "slurm")
        print(f"Submitted Slurm job {array}: {tasks} task{'s' * (tasks > 1)} for the runs.")
        print(f"Follow it: npt sweep --follow --output {plan.output}")
        print(f"The table: npt report {plan.output}    Stop it: scancel {array}")

    def _submit(self, task: Task, count: int, folder: Path) -> str:
        submitit = _submitit()
        try:
            executor = submitit.SlurmExecutor(folder=folder / "%j", max_num_timeout=TIMEOUTS)
        except RuntimeError:  # it looks for srun
            raise UserError(
                "There is no Slurm here (srun is not found): start the sweep where sbatch works, "
                "or with --engine local."
            ) from None
        cores = self.options.get("cpus-per-task")  # srun does not take it over from sbatch
        executor.update_parameters(
            job_name="npt-sweep",
            time=self.minutes,
            signal_delay_s=min(WARNING, self.minutes * 60 // 4),
            array_parallelism=count,
            stderr_to_stdout=True,
            srun_args=[f"--cpus-per-task={cores}"] if cores else [],
            additional_parameters={**self.options, "requeue": True},
        )
        try:
            with executor.batch():
                jobs = [executor.submit(task) for _ in range(count)]
        except submitit.core.utils.FailedJobError as error:
            said = str(error).strip().splitlines()
            refused = [line for line in said if line.startswith("sbatch: ")] or said[-1:]
            raise UserError(f"Slurm refuses the array: {' '.join(refused)}") from None
        return str(jobs[0].job_id).partition("_")[0]


class Task:
    """What every task of the array does, again after each requeue; submitit pickles it.

    Args:
        plan: Path of the plan.
        per_device: Processes on each GPU of the task.
    """

    def __init__(self, plan: str, per_device: int) -> None:
        self.plan, self.per_device = plan, per_device

    def __call__(self) -> None:
        """Work until nothing is left, or a signal comes."""
        requeue = signal.getsignal(WARNINGS[-1])  # submitit's
        stopped_by = ""
        with warned() as warning:
            try:
                with stop_signals():
                    self._work()
                return
            except Stopped as stop:  # a thread of another library's may take the warning itself
                stopped_by = stop.signal
        named = {number.name for number in WARNINGS}
        if (warning.is_set() or stopped_by in named) and callable(
            requeue
        ):  # only now, when all runs are given back
            requeue(WARNINGS[-1], None)
        sys.exit(128 + signal.SIGTERM)  # Slurm itself requeues what it has preempted

    def checkpoint(self) -> Any:
        """What submitit shall run after the requeue: the same; all progress is in the runs."""
        return _submitit().helpers.DelayedSubmission(self)

    def _work(self) -> None:
        plan = read_plan(self.plan)
        said = plan.output / FOLDER / "slurm" / f"{task_name().replace(' ', '-')}.error"
        said.unlink(missing_ok=True)
        try:
            plan.enter()
            os.environ.setdefault("OMP_NUM_THREADS", os.environ.get("SLURM_CPUS_PER_TASK", "1"))
            Local(per_device=self.per_device, task=task_name(), linger=LINGER).start(plan)
        except UserError as error:
            write_text(said, f"{error}\n")  # the status tells it
            raise


@contextmanager
def warned() -> Iterator[threading.Event]:
    """Inside, a warning of Slurm stops this process as SIGTERM does, and sets the event.

    Slurm sends it to every process of the task. None but this one shall see it: children have it
    blocked, from their first moment on, and are stopped by their parents.
    """
    warning, over = threading.Event(), threading.Event()

    def wait() -> None:
        signal.sigwait(WARNINGS)
        if not over.is_set():
            warning.set()
            os.kill(os.getpid(), signal.SIGTERM)

    mask = signal.pthread_sigmask(signal.SIG_BLOCK, WARNINGS)
    thread = threading.Thread(target=wait, name="warned", daemon=True)
    thread.start()
    try:
        yield warning
    finally:
        over.set()
        if not warning.is_set():  # let the thread end
            signal.pthread_kill(thread.ident or 0, WARNINGS[0])
        thread.join()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def task_name() -> str:
    """What Slurm calls the task, ``slurm 1234_5`` for example."""
    environ = os.environ
    if "SLURM_ARRAY_JOB_ID" in environ:
        return f"slurm {environ['SLURM_ARRAY_JOB_ID']}_{environ['SLURM_ARRAY_TASK_ID']}"
    return f"slurm {environ.get('SLURM_JOB_ID', '?')}"


def _minutes(text: str) -> int:
    """Slurm's spellings of a time limit, in minutes, rounded up.

    Raises:
        UserError: If it is none of them.

    Example:
        >>> [_minutes(text) for text in ("90", "1:30:00", "2-0", "1-12:30", "0:30")]
        [90, 90, 2880, 2190, 1]
    """
    found = re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", text)
    if found is None:
        raise UserError(
            f"--slurm time={text}: write minutes, hours:minutes:seconds or days-hours, for "
            "example 90, 2:00:00 or 1-12."
        )
    days, first, second, third = (int(part or 0) for part in found.groups())
    if found[1] is not None:
        seconds = days * 86400 + first * 3600 + second * 60 + third
    elif found[4] is not None:
        seconds = first * 3600 + second * 60 + third
    else:
        seconds = first * 60 + second
    return max(1, -(-seconds // 60))


def _submitit() -> Any:
    try:
        import submitit
    except ImportError:
        raise UserError("--engine slurm needs submitit: pip install 'npt-plugin[slurm]'.") from None
    return submitit
