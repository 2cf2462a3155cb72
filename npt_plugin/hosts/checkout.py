"""Where a checkout keeps its script."""

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
    tools = place / "tools" / "train.py"  # where Dassl itself and kin have it
    if not found and tools.is_file():
        return tools
    if len(found) != 1:
        names = ", ".join(str(file.relative_to(place)) for file in found[:5])
        raise UserError(
            f"{path} has {len(found) or 'no'} train.py ({names or 'looked two folders deep'}): "
            "give the path of the script."
        )
    return found[0]
