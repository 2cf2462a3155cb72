"""Both sides of a comparison: processes that take turns."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FOLDERS = {"CoOp": "CoOp", "CoCoOp": "CoOp", "MaPLe": "multimodal-prompt-learning"}
WORDS = (
    "cat dog boat kite owl tree lamp desk road barn fern moss reef dune lake pear plum bell drum "
    "harp vase sofa fork bowl coin lens rope tile gate mill"
).split()
KINDS = ("red", "old", "sea", "wild", "field", "stone", "great", "city", "winter", "silver")


def class_names(count: int) -> list[str]:
    """Distinct names of one to three words, in a fixed order, as fine-grained sets have them."""
    names = [f"{kind} {word}" for word in WORDS for kind in KINDS]
    names += [f"{a} {b} {word}" for word in WORDS for a in KINDS for b in KINDS if a < b]
    return [*WORDS[: count // 3], *names][:count]


def python_path(*folders: str) -> str:
    """``PYTHONPATH`` with these first; packages may stand alone in what it was."""
    return os.pathsep.join(filter(None, [*folders, os.environ.get("PYTHONPATH", "")]))


class Worker:
    """A process of ``side_process.py``.

    Args:
        spec: What it builds.
        host: Folder of the checkout for the host side.

    Attributes:
        untimed: Rounds before the first that counts; on a GPU passes are recorded in the second.
    """

    def __init__(self, spec: dict[str, Any], host: Path | None = None) -> None:
        """Start it and wait until its trainer is built."""
        self.untimed = 3 if spec.get("device") == "cuda" else 1
        paths = [str(ROOT), str(ROOT / "third_party"), str(HERE)]
        if host is not None:
            paths.append(str(host.parent / "Dassl.pytorch"))
        environment = {
            **os.environ,
            "PYTHONPATH": python_path(*paths),
            "OMP_NUM_THREADS": str(spec["threads"]),
            "OMP_WAIT_POLICY": "PASSIVE",  # a waiting thread must not count as work
            "NPT_FRAMEWORK": "minidassl" if host is None else "dassl",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [sys.executable, "-W", "ignore", str(HERE / "side_process.py"), json.dumps(spec)]
        self.said = tempfile.TemporaryFile("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            command,
            cwd=host or ROOT,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.said,
        )
        self._answer()

    def _answer(self) -> Any:
        line = self.process.stdout.readline()
        if not line:
            self.said.seek(0)
            last = self.said.read().strip().rpartition("\n")[2]
            command = " ".join(map(str, self.process.args))
            raise SystemExit(f"a worker ended early, its last line: {last}\n{command}")
        return json.loads(line)

    def __call__(self, name: str, **arguments: Any) -> Any:
        """Do one command of ``worker.Side``."""
        self.process.stdin.write(json.dumps([name, arguments]) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End it."""
        self.process.stdin.close()
        self.process.wait()
        self.said.close()


def take_turns(
    workers: dict[str, Worker], name: str, repeats: int, warm: bool = True, **arguments: Any
) -> dict[str, Any]:
    """Median seconds of each worker and the ratio of the second's to the first's.

    Args:
        workers: One or two, by side.
        name: Command that answers [wall, processor] seconds.
        repeats: Timed rounds, in each of which every worker has one turn.
        warm: Whether untimed rounds come first.
        arguments: Of the command.

    Returns:
        Processor seconds by side, their ``ratio``, the ``wall`` seconds and their ``wall ratio``.
    """
    seconds: dict[str, list[list[float]]] = {side: [] for side in workers}
    untimed = max(worker.untimed for worker in workers.values()) if warm else 0
    for _ in range(untimed + repeats):
        for side, worker in workers.items():
            seconds[side].append(worker(name, **arguments))
    wall, processor = (
        {side: statistics.median(r[i] for r in rows[untimed:]) for side, rows in seconds.items()}
        for i in (0, 1)
    )
    found: dict[str, Any] = {side: round(value, 5) for side, value in processor.items()}
    found["wall"] = [round(value, 5) for value in wall.values()]
    if len(workers) == 2:
        for key, medians in (("ratio", processor), ("wall ratio", wall)):
            first, second = medians.values()
            found[key] = round(second / first, 3)
    return {**found, "repeats": repeats}


def largest_difference(a: list[list[float]], b: list[list[float]]) -> float:
    """Largest difference of two tables of logits relative to the largest entry."""
    pairs = [(x, y) for p, q in zip(a, b, strict=True) for x, y in zip(p, q, strict=True)]
    return max(abs(x - y) for x, y in pairs) / max(abs(y) for _, y in pairs)
