"""Versions of everything a run's numbers may depend on."""

from __future__ import annotations

import platform
import subprocess
from functools import lru_cache
from importlib import metadata
from pathlib import Path

import torch

from npt_plugin.backbone.frozen_linear import kernels
from npt_plugin.engine.framework import BACKEND
from npt_plugin.system import ranks
from npt_plugin.system.processor import instruction_set
from npt_plugin.system.version import VERSION


def versions() -> dict[str, str]:
    """Versions of everything numbers may depend on.

    Raises:
        UserError: If ``NPT_KERNELS`` in the environment is no choice of kernels.
    """
    return {**installed(), "device": _device(), **arithmetic()}


def arithmetic() -> dict[str, str]:
    """What the numbers are computed with: runs that differ here agree to rounding only."""
    several = {} if ranks.alone() else {"processes": str(ranks.size())}
    return {"cpu": instruction_set(), "kernels": kernels(), **several}


@lru_cache(maxsize=1)
def installed() -> dict[str, str]:
    """Versions of the packages, and the commit of the checkout; no device is touched."""
    found = {"npt_plugin": VERSION, "framework": BACKEND, "python": platform.python_version()}
    for name in ("dassl", "torch", "torchvision", "clip-anytorch", "numpy", "pillow"):
        if name == "dassl" and name != BACKEND:
            continue  # minidassl has the version of the package it comes with
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    found["git"] = _git_commit()
    return found


@lru_cache(maxsize=1)
def _device() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


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
