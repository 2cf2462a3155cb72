"""``python dying_group.py REQUESTS.json NUMBER``: train runs together in a process of its own.

It gets the signal of that number when four epochs have been saved, or none for 0. Not forked from
the tests: a process whose autograd has threads cannot run backward in a fork.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from npt_plugin.runs.settings import Request
from npt_plugin.sweep.together import perform_together
from npt_plugin.trainers import checkpoints


def main(path: str, number: int) -> None:
    """Exit code 0 only if every run came to its end."""
    save, saved = checkpoints.save_progress, list[Any]()

    def save_and_die(trainer: Any) -> None:
        save(trainer)
        saved.append(trainer)
        if len(saved) == 4:
            os.kill(os.getpid(), number)

    if number:
        checkpoints.save_progress = save_and_die
    with open(path, encoding="utf-8") as file:
        outcomes = perform_together([Request(**words) for words in json.load(file)])
    assert outcomes == [None] * len(outcomes), outcomes


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
