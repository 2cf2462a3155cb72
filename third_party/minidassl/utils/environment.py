"""Seeds, and a short description of the machine and the versions a run used."""

from __future__ import annotations

import platform
import random
from importlib import metadata

import numpy as np
import torch

_PACKAGES = ("torchvision", "numpy", "Pillow", "scikit-learn", "clip-anytorch")


def set_random_seed(seed: int) -> None:
    """Seed Python's, numpy's and torch's global generators.

    Args:
        seed: A non-negative integer.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def collect_env_info() -> str:
    """Describe versions and devices without starting any process.

    Returns:
        Several lines of text.
    """
    cuda = torch.cuda.is_available()
    lines = [
        f"PyTorch version: {torch.__version__}",
        f"CUDA used to build PyTorch: {torch.version.cuda}",
        f"OS: {platform.platform()}",
        f"Python version: {platform.python_version()}",
        f"Is CUDA available: {cuda}",
        f"CPU threads: {torch.get_num_threads()}",
    ]
    if cuda:
        names = (torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
        lines += [f"GPU {i}: {name}" for i, name in enumerate(names)]
    lines += [f"        {package} ({_version(package)})" for package in _PACKAGES]
    return "\n".join(lines)
