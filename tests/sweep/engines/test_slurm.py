"""What submitit is given, and how a task ends; a real Slurm is in tests/clusters."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from npt_plugin.errors import UserError
from npt_plugin.sweep.engines import slurm
from npt_plugin.sweep.engines.slurm import Slurm, Task, warned
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.plan import Plan
from npt_plugin.sweep.status import task_errors
from npt_plugin.system.signals import Stopped, stop_signals

needs_main_thread = pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(),
    reason="signals arrive in the main thread",
)


class FailedJobError(Exception):
    pass


class Executor:
    """Keeps what it is given; ``refusal`` is what sbatch says instead."""

    refusal = ""
    last = None

    def __init__(self, folder, max_num_timeout):
        self.folder, self.timeouts, self.tasks = folder, max_num_timeout, []
        Executor.last = self

    def update_parameters(self, **parameters):
        self.parameters = parameters

    def batch(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.refusal:
            raise FailedJobError(self.refusal)

    def submit(self, task):
        self.tasks.append(task)
        return SimpleNamespace(job_id=f"77_{len(self.tasks) - 1}")


@pytest.fixture
def submitit(monkeypatch):
    module = SimpleNamespace(
        SlurmExecutor=type("E", (Executor,), {}),
        core=SimpleNamespace(utils=SimpleNamespace(FailedJobError=FailedJobError)),
        helpers=SimpleNamespace(DelayedSubmission=lambda task: ("again", task)),
    )
    monkeypatch.setitem(sys.modules, "submitit", module)
    return module


@pytest.fixture
def plan(tmp_path):
    jobs = [Job("dtd", "CoOp", "cfg", seed, output=str(tmp_path / "out")) for seed in range(5)]
    found = Plan.of(jobs, tmp_path)
    found.write()
    return found


def test_one_array_whose_tasks_share_the_jobs(submitit, plan, capsys):
    options = {"partition": "gpu", "gres": "gpu:2", "time": "1:30:00", "mem_per_cpu": "4G"}
    Slurm(3, options, per_device=2).start(plan)
    executor = Executor.last
    assert executor.folder == plan.output / ".sweep" / "slurm" / "%j"
    given = executor.parameters
    assert (given["time"], given["array_parallelism"], given["signal_delay_s"]) == (90, 3, 120)
    assert given["additional_parameters"] == {
        "partition": "gpu",
        "gres": "gpu:2",
        "mem-per-cpu": "4G",
        "requeue": True,
    }
    assert [(task.plan, task.per_device) for task in executor.tasks] == [(str(plan.path), 2)] * 3
    said = capsys.readouterr().out
    assert "Submitted Slurm job 77: 3 tasks" in said
    assert f"npt sweep --follow --output {plan.output}" in said and "scancel 77" in said


def test_no_more_tasks_than_jobs_and_cores_reach_srun_too(submitit, plan):
    Slurm(0, {"cpus_per_task": "4"}).start(plan)
    assert len(Executor.last.tasks) == 5
    assert Executor.last.parameters["srun_args"] == ["--cpus-per-task=4"]
    assert Executor.last.parameters["time"] == slurm.MINUTES
    Slurm(0, {"time": "1"}).start(plan)
    assert Executor.last.parameters["signal_delay_s"] == 15  # not the whole minute


def test_what_slurm_refuses_is_one_sentence(submitit, plan):
    submitit.SlurmExecutor.refusal = (
        "Error during job submission:\n\nsbatch: error: invalid partition specified: gpux\n"
        "sbatch: error: Batch job submission failed"
    )
    with pytest.raises(UserError, match="invalid partition specified: gpux"):
        Slurm(options={"partition": "gpux"}).start(plan)


def test_options_that_the_engine_sets_are_refused(submitit):
    with pytest.raises(UserError, match="--slurm open-mode: the engine sets that itself"):
        Slurm(options={"open_mode": "append"})


@pytest.mark.parametrize("text", ["", "soon", "1:2:3:4", "1h"])
def test_a_time_limit_that_slurm_would_not_know(submitit, text):
    with pytest.raises(UserError, match="write minutes"):
        Slurm(options={"time": text})


def test_without_slurm_or_submitit_a_sentence_says_what_to_do(submitit, plan, monkeypatch):
    def no_srun(folder, max_num_timeout):
        raise RuntimeError('Could not detect "srun"')

    submitit.SlurmExecutor = no_srun
    with pytest.raises(UserError, match="There is no Slurm here"):
        Slurm().start(plan)
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(UserError, match=r"pip install 'npt-plugin\[slurm\]'"):
        Slurm()


# -- a task ---------------------------------------------------------------------------------------


@pytest.fixture
def works(monkeypatch):
    """``works(action)``: what a task does instead of serving the plan."""

    def make(action):
        class Stand:
            def __init__(self, **options):
                self.options = options

            def start(self, plan):
                action(plan, self.options)

        monkeypatch.setattr(slurm, "Local", Stand)

    return make


def test_a_task_works_where_the_sweep_was_started(plan, works, monkeypatch, tmp_path):
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "77")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "2")
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "3")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    here, seen = Path.cwd(), []
    monkeypatch.chdir("/")
    works(lambda plan, options: seen.append((plan, options, Path.cwd())))
    Task(str(plan.path), 2)()
    options = {"per_device": 2, "task": "slurm 77_2", "linger": slurm.LINGER}
    assert seen == [(plan, options, here)]
    assert os.environ["OMP_NUM_THREADS"] == "3"


def test_why_a_task_could_not_work_is_left_for_the_status(plan, works, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    monkeypatch.delenv("SLURM_ARRAY_JOB_ID", raising=False)

    def fail(plan, options):
        raise UserError("No data here.")

    works(fail)
    with pytest.raises(UserError):
        Task(str(plan.path), 1)()
    assert task_errors(plan.output) == ["  slurm 77 cannot work: No data here."]
    works(lambda plan, options: None)
    Task(str(plan.path), 1)()
    assert task_errors(plan.output) == []


@needs_main_thread
@pytest.mark.parametrize("number", slurm.WARNINGS)
def test_after_a_warning_a_task_is_requeued_once_its_runs_have_ended(plan, works, number):
    order = []

    def work(plan, options):
        try:
            os.kill(os.getpid(), number)
            threading.Event().wait(20)
        except Stopped as stop:
            order.append(stop.signal)
            raise

    def requeue(number, frame):
        order.append("requeue")
        sys.exit(-1)

    works(work)
    before = signal.signal(signal.SIGUSR2, requeue)
    try:
        with pytest.raises(SystemExit) as end:
            Task(str(plan.path), 1)()
    finally:
        signal.signal(signal.SIGUSR2, before)
    # where a library has threads of its own, the warning may reach one of them as it is
    assert order in (["SIGTERM", "requeue"], [signal.Signals(number).name, "requeue"])
    assert end.value.code == -1


def test_a_warning_that_another_thread_took_is_requeued_too(plan, works, monkeypatch):
    @contextmanager
    def never():
        yield threading.Event()

    def work(plan, options):
        raise Stopped(signal.SIGUSR1)

    works(work)
    monkeypatch.setattr(slurm, "warned", never)
    monkeypatch.setattr(slurm.signal, "getsignal", lambda number: lambda *_: sys.exit(-1))
    with pytest.raises(SystemExit) as end:
        Task(str(plan.path), 1)()
    assert end.value.code == -1


@needs_main_thread
def test_sigterm_ends_a_task_and_leaves_the_requeue_to_slurm(plan, works):
    works(lambda plan, options: signal.raise_signal(signal.SIGTERM))
    before = signal.signal(signal.SIGUSR2, lambda *_: pytest.fail("requeued"))
    try:
        with pytest.raises(SystemExit) as end:
            Task(str(plan.path), 1)()
    finally:
        signal.signal(signal.SIGUSR2, before)
    assert end.value.code == 143


@needs_main_thread
def test_children_do_not_see_the_warning_that_slurm_sends_to_every_process():
    code = "import os, signal; os.kill(os.getpid(), signal.SIGUSR2); print('alive')"
    with warned() as warning:
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert said.stdout == "alive\n" and not warning.is_set()
    with pytest.raises(Stopped) as stop, warned() as warning, stop_signals():
        os.kill(os.getpid(), signal.SIGUSR1)
        threading.Event().wait(20)
    assert warning.is_set() or stop.value.signal == "SIGUSR1"
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []).isdisjoint(slurm.WARNINGS)


def test_submitit_is_told_to_run_the_same_task_again(submitit):
    task = Task("plan.json", 1)
    assert task.checkpoint() == ("again", task)
