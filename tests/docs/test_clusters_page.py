"""docs/clusters.md: its array job asks for every job of the grid once."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "clusters.md"


def test_the_array_covers_the_grid_and_its_words_are_understood(tmp_path: Path):
    from npt_plugin.cli.protocol import parser

    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (script,) = [block for block in blocks if "#SBATCH --array" in block]
    first, last = map(int, re.search(r"--array=(\d+)-(\d+)", script).groups())
    (tmp_path / "npt").write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n')
    (tmp_path / "npt").chmod(0o755)
    asked = set()
    for task in range(first, last + 1):
        env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_ARRAY_TASK_ID": str(task)}
        done = subprocess.run(
            ["bash", "-c", script], env=env, capture_output=True, text=True, check=True
        )
        name, *words = done.stdout.split("\n")[1:-1]
        args = parser().parse_args([name, *words])
        asked.add((args.dataset, args.trainer, args.seed))
    assert len(asked) == 3 * 2 * 3 == last - first + 1
