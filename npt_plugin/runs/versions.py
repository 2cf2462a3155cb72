"""Versions of everything a run's numbers may depend on."""

from __future__ import annotations

import platform
import subprocess
from functools import lru_cache
from importlib import metadata
from pathlib import Path

import torch

from npt_plugin import __version__
from npt_plugin.engine.framework import BACKEND


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Versions of everything numbers may depend on."""
    found = {"npt_plugin": __version__, "framework": BACKEND, "python": platform.python_version()}
    for name in ("dassl", "torch", "torchvision", "clip-anytorch", "numpy", "pillow"):
        if name == "dassl" and name != BACKEND:
            continue  # minidassl has the version of the package it comes with
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    found["git"] = _git_commit()
    found["device"] = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    return found


def _git_commit() -> str:
    """Commit of the checkout, ``-dirty`` where tracked files were changed since."""
    folder = Path(__file__).resolve().parents[2]
    if not (folder / ".git").exists():
        return "none"
    call = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(call, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip()
