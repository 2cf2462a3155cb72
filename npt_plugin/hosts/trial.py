"""Runs in a process of its own: a miniature proof that NPT holds on one trainer of a project.

``python -m npt_plugin.hosts.trial SCRIPT TRAINER REPORT [WORD ...]`` writes REPORT, a JSON file of
``Trial``, anew whenever it goes on to something else. The script runs up to ``build_trainer``; its
config is then made small, and the trainer is built with drawn data and a small CLIP.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from npt_plugin.errors import user_errors
from npt_plugin.hosts import miniature
from npt_plugin.hosts.own_words import own_words

HOLDS, DOES_NOT, UNTRIED = "holds", "does not hold", "could not be tried"
_RUNS = "npt_plugin.hosts.trial_runs"  # imported once the project's Dassl is chosen


@dataclass
class Trial:
    """How far one trainer came.

    Attributes:
        verdict: ``HOLDS``, ``DOES_NOT`` or ``UNTRIED``.
        said: What was seen, or what stood in the way.
        doing: What it is doing now, "" at the end.
    """

    verdict: str = UNTRIED
    said: str = ""
    doing: str = ""


class Taken(BaseException):
    """The script has come to ``build_trainer``."""


class _Untried(Exception):
    """The project's own trainer, or its script, does not get through here."""


def attempt(script: Path, name: str, words: Sequence[str], place: Path, at: Callable) -> Trial:
    """Take a trainer through all that is to hold.

    Args:
        script: The project's ``train.py``, absolute.
        name: Its own name for the trainer.
        words: Arguments for the script beside our own.
        place: An empty folder to work in.
        at: Told what is being done.
    """
    weights = miniature.GiveWeights(place / "clip.pt")
    miniature.draw_pets(place / "data")
    at("while its script ran up to build_trainer")
    try:
        weights.install()
        cfg, build = taken(script, [*own_words(script, name, place / "data", place), *words])
        runs = importlib.import_module(_RUNS).Runs(cfg, build, name, place)
        for number, model in enumerate(miniature.LADDER):
            runs.size, runs.folder = miniature.write_clip(model, weights.file), place / str(number)
            found = _answered(runs, model, at)
            in_part = found.verdict == UNTRIED and runs.seen
            if found.verdict == DOES_NOT and model != miniature.TINY:
                break  # the tiny one has fewer layers than a project may count on
            if found.verdict == HOLDS or in_part:
                break
    except _Untried as error:
        return Trial(UNTRIED, str(error))
    return found


def _answered(runs: Any, model: str, at: Callable[[str], None]) -> Trial:
    """Untouched, then with NPT, on the CLIP that lies there."""
    at(f"while the untouched trainer trained on a small CLIP ({model})")
    runs.seen.clear()
    left = ""
    _open_output()
    try:
        runs.plain = runs.trained("plain")
    except Exception as error:
        return Trial(UNTRIED, f"untouched, it does not train on our miniature: {_sentence(error)}")
    for doing, wrong_with in runs.questions:
        at(f"{doing} ({model})")
        _open_output()
        try:
            wrong = wrong_with()
        except runs.unanswerable as error:
            left = f", but the gradient could not be compared with that by hand: {error}"
            continue
        except Exception as error:
            wrong = f"{doing}: {_sentence(error)}"
        if wrong:
            return Trial(DOES_NOT, f"{wrong} (CLIP: {model})")
    return Trial(UNTRIED if left else HOLDS, f"{'; '.join(runs.seen)}{left} (CLIP: {model})")


def _open_output() -> None:
    """A new ``sys.stdout``: a project's logger takes and closes the last, some with each run."""
    sys.stdout = os.fdopen(os.dup(1), "w", buffering=1)


def taken(script: Path, words: Sequence[str]) -> tuple[Any, Callable[[Any], Any]]:
    """The config with which a script builds its trainer, and ``build_trainer`` of its Dassl."""
    runner = importlib.import_module("npt_plugin.hosts.runner")
    asked = importlib.import_module("npt_plugin.hosts.asked")
    runner.enter_project(script.parent)
    runner.prepare_dassl()
    build = importlib.import_module("dassl.engine").build_trainer

    reached: list[Any] = []  # a script may catch whatever ends its training

    def take(cfg: Any, *args: Any, **kwargs: Any) -> None:
        reached.append(cfg)
        raise Taken

    asked.replace_build_trainer(take)
    sys.argv = [str(script), *words]
    try:
        runpy.run_path(str(script), run_name="__main__")
    except Taken:
        pass
    except Exception as error:
        if not reached:
            raise _Untried(_ended(_sentence(error), words)) from error
    except SystemExit as end:
        if not reached:
            raise _Untried(_ended(f"exit code {end.code}", words)) from None
    finally:
        _open_output()
    if not reached:
        raise _Untried("its script ends without build_trainer")
    asked.replace_build_trainer(build)
    return reached[0], build


def _ended(how: str, words: Sequence[str]) -> str:
    return (
        f"its script ends before it builds a trainer: {how} (given were {' '.join(words)}; more, "
        "or another --config-file, comes after --words)"
    )


def _sentence(error: Exception) -> str:
    said = importlib.import_module("npt_plugin.hosts.lacking").as_sentence(error)
    text = str(said) if isinstance(said, user_errors()) else f"{type(said).__name__}: {said}"
    return " ".join(text.split())[:300]


def main() -> None:
    """Entry point of the process."""
    script, name, report, *words = sys.argv[1:]
    now = Trial()

    def write(trial: Trial) -> None:
        part = Path(f"{report}.part")
        part.write_text(json.dumps(asdict(trial)), encoding="utf-8")
        os.replace(part, report)

    def at(doing: str) -> None:
        now.doing = doing
        write(now)

    with tempfile.TemporaryDirectory() as folder:
        write(attempt(Path(script), name, words, Path(folder), at))


if __name__ == "__main__":
    main()
