"""The command line that a project's script would be given for one of its trainers."""

from __future__ import annotations

import re
from pathlib import Path

_DATA = "configs/datasets/oxford_pets.yaml"
_SPECIAL = re.compile(r"cross|few_?shot|im(age)?net|checkpoint", re.IGNORECASE)


def own_words(script: Path, trainer: str, root: Path, out: Path) -> list[str]:
    """Arguments as the CoOp family's scripts take them, with the config file closest by name.

    Args:
        script: The project's ``train.py``.
        trainer: Its own name for the trainer.
        root: Of the data.
        out: For what it writes.
    """
    words = ["--root", str(root), "--seed", "1", "--trainer", trainer, "--output-dir", str(out)]
    if (script.parent / _DATA).is_file():
        words += ["--dataset-config-file", _DATA]
    file = config_file(script.parent, trainer)
    if file is not None:
        words += ["--config-file", str(file.relative_to(script.parent))]
    return words


def config_file(project: Path, trainer: str) -> Path | None:
    """Its config in ``configs/trainers``: of the trainer's folder, for ViT-B/16 if there is one.

    Folders and files whose names are part of the trainer's count, the longest first:
    ``SPLE/CoOp`` for ``StackSPLE_CoOp``, and ``CoOp`` for ``CoOp_ATP`` where that has none.
    """
    base = project / "configs" / "trainers"
    wanted = _letters(trainer)
    found = []
    for file in sorted(base.rglob("*.yaml")):
        parts = [_letters(part) for part in file.relative_to(base).with_suffix("").parts]
        fits = sum(len(part) for part in parts if part and part in wanted)
        usual = "vit_b16" in file.name or "vit" not in str(file) and "rn" not in file.name
        if fits:
            order = bool(_SPECIAL.search(file.name)), not usual, "pets" not in file.name
            found.append((-fits, *order, len(file.name), file))
    return min(found)[-1] if found else None


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
