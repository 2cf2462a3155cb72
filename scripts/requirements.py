"""What ``pyproject.toml`` asks for: check this Python against it, or print the oldest versions.

python scripts/requirements.py check [EXTRA]    # exit 0 if all is installed, and is this checkout
python scripts/requirements.py floors [EXTRA]   # name==oldest version, one a line, for pip
python scripts/requirements.py extra EXTRA      # what the extra adds, one a line, for pip
"""

import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def requirements(extra: str = "") -> list[str]:
    """The requirements of the package, and of one of its extras with the extras named in that."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    found, waiting = list(project["dependencies"]), [extra] if extra else []
    while waiting:
        for line in extras[waiting.pop()]:
            own = re.fullmatch(rf"{project['name']}\[(.+)\]", line)
            if own:
                waiting += own[1].split(",")
            else:
                found.append(line)
    return found


def floors(lines: list[str]) -> list[str]:
    """``torch>=2.4.0,<3`` becomes ``torch==2.4.0``; what has no lower bound is an error."""
    found = []
    for line in lines:
        bound = re.match(r"([\w.-]+(?:\[[\w,]+\])?)\s*>=\s*([\w.]+)", line)
        if bound is None:
            raise SystemExit(f"{line} has no lower bound (pyproject.toml)")
        found.append(f"{bound[1]}=={bound[2]}")
    return found


def problem(lines: list[str]) -> str:
    """Why this Python does not do, or an empty string."""
    try:
        from packaging.requirements import Requirement

        for line in lines:
            wanted = Requirement(line)
            version = importlib.metadata.version(wanted.name)
            if not wanted.specifier.contains(version, prereleases=True):
                return f"{wanted} is needed, {version} is installed"
        import npt_plugin
    except ImportError as error:
        return f"missing: {error}"
    if Path(npt_plugin.__file__).resolve().parent.parent != ROOT:
        return f"npt_plugin is another checkout: {npt_plugin.__file__}"
    return ""


if __name__ == "__main__":
    task, *extra = sys.argv[1:]
    wanted = requirements(*extra)
    if task == "extra":
        print("\n".join(line for line in wanted if line not in requirements()))
    elif task == "floors":
        print("\n".join(floors(wanted)))
    else:
        sys.exit(problem(wanted) or 0)
