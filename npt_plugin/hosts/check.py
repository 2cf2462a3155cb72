"""``npt hosts check``: what NPT will do in a checkout, found in processes that may crash."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from npt_plugin.hosts.probe import Findings
from npt_plugin.hosts.trial import Trial

TIME_LIMIT = 120.0
"""Seconds that a look may take."""

TRIAL_LIMIT = 600.0
"""Seconds that a miniature proof on one trainer may take."""


def look_at(script: Path, limit: float = TIME_LIMIT) -> Findings:
    """Import a project's script in a process of its own, without training.

    Args:
        script: Its ``train.py``, absolute.
        limit: Seconds after which the process is ended.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        words = ["npt_plugin.hosts.probe", str(script), str(report)]
        ended = run_apart(words, script.parent, limit)
        if not report.is_file():
            return Findings(error=f"while its script was imported, {ended}")
        found = Findings(**json.loads(report.read_text(encoding="utf-8")))
    found.trainers = [tuple(row) for row in found.trainers]  # type: ignore[misc]  # JSON has lists
    return found


def try_out(
    script: Path, trainer: str, words: Sequence[str] = (), limit: float = TRIAL_LIMIT
) -> Trial:
    """A miniature proof on one trainer, in a process of its own.

    Args:
        script: The project's ``train.py``, absolute.
        trainer: The project's name for it.
        words: Arguments for the script beside our own.
        limit: Seconds after which the process is ended.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        job = ["npt_plugin.hosts.trial", str(script), trainer, str(report), *words]
        ended = run_apart(job, script.parent, limit)
        if not report.is_file():
            return Trial(said=f"at its start, {ended}")
        trial = Trial(**json.loads(report.read_text(encoding="utf-8")))
    return Trial(said=f"{trial.doing}, {ended}") if trial.doing else trial


def run_apart(words: list[str], folder: Path, limit: float) -> str:
    """Run a module of ours in a process group of its own, which leaves nothing running.

    Args:
        words: Module and arguments.
        folder: Where it runs.
        limit: Seconds after which it is ended.

    Returns:
        How it ended, in words.
    """
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    ours = [str(Path(__file__).resolve().parents[2]), env.get("PYTHONPATH", "")]
    env["PYTHONPATH"] = os.pathsep.join(filter(None, ours))
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", *words],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code: int | None = process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(process)
        output.seek(0)
        text = output.read().decode(errors="replace")
    last = next((line for line in reversed(text.splitlines()) if line.strip()), "")
    if code is None:
        return f"it did not end within {limit:g} s"
    if code < 0:
        return f"the process was killed by signal {-code}"
    return f"the process ended with exit code {code} ({last.strip()[:200]})"


def _end(process: subprocess.Popen) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)  # and whatever it started
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()
