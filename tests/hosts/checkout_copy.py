"""A copy of a checkout to run in, with what it looks for in its own folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import host_world
import torch
from checkouts import Checkout
from filelock import FileLock

_LEFT_OUT = (".git", "__pycache__", "*.png", "*.jpg", "*.pdf", "*.pth*")


def copy_of(checkout: Checkout, world: Path, into: Path) -> Path:
    """The folder of the script in a copy below ``into``; made once, whoever asks."""
    name = checkout.folder.split("/")[0]
    project = into / checkout.folder
    with FileLock(f"{into}.lock"):
        if not (into / name).is_dir():
            skip = shutil.ignore_patterns(*_LEFT_OUT)
            shutil.copytree(Path(host_world.HOSTS, name), into / name, ignore=skip)
            (into / name / ".git").mkdir()
            _complete(checkout, project, world)
    return project


def _complete(checkout: Checkout, project: Path, world: Path) -> None:
    for name, stub in checkout.lacks.items():
        (project / f"{name}.py").write_text(stub)
    for file, weights in checkout.weight_files.items():
        (project / file).symlink_to(world / f"{weights}.pt")
    for file, place in checkout.borrows.items():
        (project / file).parent.mkdir(exist_ok=True)
        shutil.copy(Path(host_world.HOSTS, place), project / file)
    for file, (old, new) in checkout.mends.items():
        text = (project / file).read_text()
        assert old in text
        (project / file).write_text(text.replace(old, new))
    if checkout.teacher:
        (project / checkout.teacher).parent.mkdir(parents=True)
        torch.save({"state_dict": {}, "epoch": 1, "val_result": 0.0}, project / checkout.teacher)
