"""What lies in a project's folder: the Dassl it brings, packages that do not say they are some."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType


class PlainFolders:
    """Finds a project's folders of modules without ``__init__.py`` before installed packages.

    Python takes an installed package of the same name for them (``clip``, ``datasets``), though
    the project's folder comes first on its path.

    Args:
        project: Folder of the script.
    """

    def __init__(self, project: Path) -> None:
        self.project = project

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A package without a file of its own, or None."""
        place = self.project / name
        named = (place / "__init__.py", self.project / f"{name}.py")
        if path is not None or "." in name or name in sys.stdlib_module_names:
            return None
        if any(file.exists() for file in named) or not any(place.glob("*.py")):
            return None
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(place)]
        return spec


def own_dassl(project: Path) -> Path | None:
    """The folder to import ``dassl`` from that this project brings, None if it brings none.

    Looked for in the project's folder, in ``Dassl*/`` below it, and in ``Dassl*/`` beside it if
    the folder above is the checkout.

    Args:
        project: Folder of its ``train.py``.
    """
    within = _below(project)
    return within or (_below(project.parent) if (project.parent / ".git").exists() else None)


def dassl_to_use(project: Path) -> Path | None:
    """What to put on the import path for ``dassl``; None: whatever is installed, or nothing.

    The project's own wins, as its authors had it; one that merely lies beside the project is taken
    where none is installed. ``NPT_FRAMEWORK`` in the environment means what is installed.
    """
    wanted = os.environ.get("NPT_FRAMEWORK", "")
    if wanted == "minidassl":
        return None
    installed = PathFinder.find_spec("dassl") is not None
    if installed and wanted == "dassl":
        return None
    return own_dassl(project) or (None if installed else _below(project.parent))


def _below(folder: Path) -> Path | None:
    for place in (folder, *sorted(folder.glob("[Dd]assl*"))):
        if (place / "dassl" / "__init__.py").is_file():
            return place
    return None
