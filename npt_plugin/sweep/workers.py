"""Run jobs several at a time, one process each."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import Queue

import torch

from npt_plugin.registration import register_all
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.mistakes import refuse_mistakes
from npt_plugin.system.progress import progress
from npt_plugin.system.signals import stop_signals


def command(job: Job, configs: Path) -> list[str]:
    """The command line that runs one job."""
    words = [sys.executable, "-m", "npt_plugin", "protocol", job.protocol]
    words += ["--dataset", job.dataset, "--trainer", str(job.method), "--config", job.config]
    words += [word for target in job.targets for word in ("--target", target)]
    words += ["--backbone", job.backbone] if job.backbone else []
    words += ["--seed", str(job.seed), "--ratio", str(job.ratio), "--shots", str(job.shots)]
    words += ["--root", job.root, "--output", job.output, "--configs", str(configs)]
    return [*words, *job.options]


def run_all(jobs: Sequence[Job], configs: Path, parallel: int) -> dict[str, str]:
    """Run every job that has not completed; returns ``{job name: reason}`` of the failures.

    Ctrl-C and SIGTERM are passed on to the runs, which finish their step; nothing new starts.

    Raises:
        UserError: Before anything runs, if a run has completed with other settings.
    """
    register_all(base=True)
    refuse_mistakes(jobs, configs)
    todo = [job for job in jobs if not all([step.finished(configs) for step in job.steps()])]
    print(f"{len(jobs)} runs, {len(jobs) - len(todo)} completed already, {len(todo)} to do")
    failed: dict[str, str] = {}
    crew = Crew(configs, parallel)
    with stop_signals(), ThreadPoolExecutor(parallel) as pool:
        waiting = {pool.submit(crew.run, job): job for job in todo}
        bar = progress(total=len(todo), desc="runs", unit="run")
        try:
            for number, future in enumerate(as_completed(waiting), 1):
                job, reason = waiting[future], future.result()
                bar.update()
                bar.write(f"[{number}/{len(todo)}] {job.name}: {'failed' if reason else 'done'}")
                if reason:
                    failed[job.name] = reason
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            crew.stop()
            raise
        finally:
            bar.close()
    return failed


class Crew:
    """Processes that run jobs, each on a device of its own where there are several.

    Args:
        configs: Folder of the yaml files.
        parallel: Processes at a time.
    """

    def __init__(self, configs: Path, parallel: int) -> None:
        self.configs, self.parallel = configs, parallel
        self.running: set[subprocess.Popen[str]] = set()
        self.stopped = False
        self.devices: Queue[str] = Queue()
        names = _cuda() or [""]
        for number in range(parallel):
            self.devices.put(names[number % len(names)])

    def run(self, job: Job) -> str:
        """Run one job in its own process; returns why it failed, or an empty string."""
        if self.stopped:
            return "not started"
        env, device = dict(os.environ), self.devices.get()
        if self.parallel > 1:  # one core a process
            env.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
        if device:
            env["CUDA_VISIBLE_DEVICES"] = device
        process = subprocess.Popen(
            command(job, self.configs),
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.running.add(process)
        try:
            out, _ = process.communicate()
        finally:
            self.running.discard(process)
            self.devices.put(device)
        if process.returncode == 0:
            return ""
        last = (out.strip().splitlines() or ["no output"])[-1].removeprefix("error: ")
        return f"{last} (exit {process.returncode}, log in {job.folder()})"

    def stop(self) -> None:
        """Ask every run to finish its step and end."""
        self.stopped = True
        for process in list(self.running):
            process.terminate()


def _cuda() -> list[str]:
    """The CUDA devices this process may use, by the names its children know them by."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name for name in visible.split(",") if name]
    return [str(number) for number in range(torch.cuda.device_count())]
