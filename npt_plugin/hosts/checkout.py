"""Where a checkout keeps what its train.py needs: the script itself, a trainer's config files."""

from __future__ import annotations

import re
from pathlib import Path

from npt_plugin.errors import UserError

_NOT_A_PROJECT = re.compile(r"^(dassl.*|tools|tests?|lpclip|\..*)$", re.IGNORECASE)


def find_script(path: str | Path) -> Path:
    """The ``train.py`` that a path means.

    Args:
        path: A script; a folder with ``train.py``; or a checkout with one in a folder below.

    Returns:
        Its absolute path.

    Raises:
        UserError: If there is none, or more than one.
    """
    place = Path(path).expanduser().resolve()
    if place.is_file() and place.suffix == ".py":
        return place
    if not place.is_dir():
        raise UserError(f"There is no folder or script {path}: give a checkout or its train.py.")
    if (place / "train.py").is_file():
        return place / "train.py"
    found = [
        file
        for file in sorted([*place.glob("*/train.py"), *place.glob("*/*/train.py")])
        if not any(_NOT_A_PROJECT.match(part) for part in file.relative_to(place).parts[:-1])
    ]
    if len(found) != 1:
        names = ", ".join(str(file.relative_to(place)) for file in found[:5])
        raise UserError(
            f"{path} has {len(found) or 'no'} train.py ({names or 'looked two folders deep'}): "
            "give the path of the script."
        )
    return found[0]


def config_of(project: Path, trainer: str) -> Path | None:
    """The yaml file that fits a trainer best, None where no folder or file has its name.

    Args:
        project: Folder of its script.
        trainer: A trainer's name; upper case and punctuation are ignored.
    """
    files = sorted((project / "configs").glob("trainers/**/*.yaml"))
    wanted = _plain(trainer)
    named = [f for f in files if wanted in (_plain(f.parent.name), _plain(f.stem))]
    preferred = [f for f in named if "vit_b16" in f.stem.lower()]
    best = preferred or named
    return min(best, key=lambda file: (len(file.stem), file.stem)) if best else None


def data_config_of(project: Path) -> Path | None:
    """The yaml file of OxfordPets, if the project has one."""
    files = sorted((project / "configs").glob("datasets/**/*pets*.yaml"))
    return min(files, key=lambda file: len(file.stem)) if files else None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
