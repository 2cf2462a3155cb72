"""docs/tour.md shows what its commands print; a changed word is seen, a last digit is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tour(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(ROOT / "scripts"), *sys.path])
    import tour

    return tour


@pytest.mark.slow
def test_the_page_shows_what_the_commands_print():
    paths = os.pathsep.join((str(ROOT), str(ROOT / "third_party")))
    env = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    words = [sys.executable, str(ROOT / "scripts" / "tour.py"), "check"]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, f"{done.stderr[-2000:]}\nto write it anew: python scripts/tour.py"


PAGE = """a
```console
$ npt one \\
    KEY 1
old
$ npt two
```
b
"""


def test_commands_are_found_with_their_lines_and_written_anew(tour):
    assert list(tour.commands(PAGE)) == [("npt one KEY 1", ["old"]), ("npt two", [])]
    found = [("npt one KEY 1", ["old"], ["new", "$5"]), ("npt two", [], ["more"])]
    again = tour.rewritten(PAGE, found)
    assert again == PAGE.replace("old", "new\n$5").replace("two", "two\nmore")
    assert list(tour.commands(again)) == [("npt one KEY 1", ["new", "$5"]), ("npt two", ["more"])]


@pytest.mark.parametrize(
    ("shown", "found", "same"),
    [
        ("accuracy: 81.4%", "accuracy: 81.7%", True),
        ("accuracy: 81.4%", "accuracy: 91.4%", False),
        ("| base   | new |", "| base  | new |", True),
        ("base 1", "new 1", False),
        ("Elapsed: 0:00:04", "Elapsed: 0:01:44", True),
        ("a", "a\nb", False),
    ],
)
def test_words_must_agree_and_numbers_nearly(tour, shown, found, same):
    assert (tour.differ("npt x", shown.split("\n"), found.split("\n")) == "") is same


def test_of_the_machine_only_the_topics_are_compared(tour):
    assert tour.differ("npt doctor", ["device  cpu"], ["device  cuda"]) == ""
    assert tour.differ("npt doctor", ["device  cpu"], ["devices  cpu"])
