"""Runs in a process of its own: imports what a project's script imports, and says what is there.

``python -m npt_plugin.hosts.probe SCRIPT REPORT`` writes REPORT, a JSON file of ``Findings``. The
script's ``if __name__ == "__main__"`` part does not run.
"""

from __future__ import annotations

import importlib
import json
import runpy
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType

from npt_plugin.errors import user_errors
from npt_plugin.hosts.project import dassl_to_use, own_dassl


@dataclass
class Findings:
    """What one look at a project found.

    Attributes:
        dassl: Which engine is in use, as in the log.
        whose: "brought by the project", "beside the project", "installed" or "ours".
        repairs: What is mended or arranged on import.
        notes: What to watch in the script itself.
        trainers: For each trainer its name, what NPT does with it, and what to watch.
        error: The sentence that ended the imports, "" if none did.
    """

    dassl: str = ""
    whose: str = ""
    repairs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    trainers: list[tuple[str, str, list[str]]] = field(default_factory=list)
    error: str = ""


_NAME = "npt_hosts_check"
_DESCRIPTION = "npt_plugin.hosts.description"  # imported once the project's Dassl is chosen


def look(script: Path) -> Findings:
    """Import the script and describe what it registered.

    Args:
        script: A project's ``train.py``, absolute.
    """
    runner = importlib.import_module("npt_plugin.hosts.runner")
    found = Findings(whose=_whose(script.parent))
    try:
        runner.enter_project(script.parent)
        runner.prepare_dassl()
        importlib.import_module(_DESCRIPTION).describe_engine(found)
        sys.argv = [str(script)]
        names = runpy.run_path(str(script), run_name=_NAME)
        sys.modules[_NAME] = ModuleType(_NAME)  # what it defines itself is found like all else
        vars(sys.modules[_NAME]).update(names)
        importlib.import_module("npt_plugin").register()
    except Exception as error:
        lacking = importlib.import_module("npt_plugin.hosts.lacking")
        said = lacking.as_sentence(error)
        ours = isinstance(said, user_errors())
        found.error = str(said) if ours else f"{type(said).__name__}: {said}"
    except SystemExit as end:
        found.error = f"its script ends while it is imported (exit code {end.code})"
    if found.dassl:
        importlib.import_module(_DESCRIPTION).describe_trainers(found, script)
    return found


def _whose(project: Path) -> str:
    """Where the Dassl comes from that is going to be used, before it is on the path."""
    if own_dassl(project) and dassl_to_use(project):
        return "brought by the project"
    return "beside the project" if dassl_to_use(project) else "installed"


def main() -> None:
    """Entry point of the process."""
    script, report = sys.argv[1:3]
    found = look(Path(script))
    Path(report).write_text(json.dumps(asdict(found)), encoding="utf-8")


if __name__ == "__main__":
    main()
