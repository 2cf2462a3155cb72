"""The container file: linted, its words are ours, and what it copies is enough to install.

No image is built here: that takes a daemon and a network.
"""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from npt_plugin.cli.main import COMMANDS
from npt_plugin.cli.sweep import parser as sweep_parser

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "Containerfile").read_text(encoding="utf-8")
IGNORED = [
    line
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def instructions() -> list[tuple[str, str]]:
    joined = re.sub(r"\\\n", " ", TEXT)
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_instructions_are_known_and_in_order() -> None:
    words = [word for word, _ in instructions()]
    known = {"FROM", "ARG", "ENV", "RUN", "COPY", "WORKDIR", "ENTRYPOINT", "CMD"}
    assert set(words) <= known and words[0] == "FROM" and words[-2:] == ["ENTRYPOINT", "CMD"]
    by_word = dict(instructions())
    assert json.loads(by_word["ENTRYPOINT"]) == ["npt"]
    assert set(json.loads(by_word["CMD"])) <= set(COMMANDS)
    minor = int(re.fullmatch(r"python:3\.(\d+)-slim", by_word["FROM"]).group(1))
    assert minor >= 11
    for word, rest in instructions():
        if word == "RUN":
            assert subprocess.run(["sh", "-n", "-c", rest]).returncode == 0, rest


def test_what_it_installs_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (extras,) = re.findall(r'pip install "/src\[([\w,]+)\]"', TEXT)
    assert set(extras.split(",")) <= set(project["optional-dependencies"])


def test_the_commands_in_its_comments_are_ours() -> None:
    text = re.sub(r" \\\n#", "", TEXT)
    runs = re.findall(r'^#   docker run .*--user "\$\(id -u\):\$\(id -g\)" npt +(.+)$', text, re.M)
    assert len(runs) == 3
    for words in map(str.split, runs):
        assert words[0] in COMMANDS
        if words[0] == "sweep":
            sweep_parser().parse_known_args(words[1:])


def _copied(folder: str, names: list[str]) -> set[str]:
    here = Path(folder).relative_to(ROOT)
    return {
        name
        for name in names
        for pattern in IGNORED
        if (pattern.startswith("**/") and fnmatch.fnmatch(name, pattern[3:]))
        or fnmatch.fnmatch(str(here / name), pattern)
    }


@pytest.mark.slow
def test_what_is_copied_is_enough_for_a_wheel(tmp_path: Path) -> None:
    shutil.copytree(ROOT, tmp_path / "src", ignore=_copied)
    assert not (tmp_path / "src" / ".git").exists() and not (tmp_path / "src/tests").exists()
    words = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    run = subprocess.run(
        [sys.executable, "-m", "pip", *words, "-w", str(tmp_path), str(tmp_path / "src")],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("npt_plugin/datasets/sources.yaml", "npt_plugin/configs/datasets/eurosat.yaml"):
        assert name in names
    assert any(name.startswith("minidassl/") for name in names)
