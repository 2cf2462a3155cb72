"""Exit 0 if this Python has every package that running and testing needs, and this checkout."""

import importlib.metadata
import sys
from pathlib import Path

NEEDED = (
    "torch",
    "torchvision",
    "clip-anytorch",
    "yacs",
    "tabulate",
    "tqdm",
    "gdown",
    "tensorboard",
    "safetensors",
    "scikit-learn",
    "matplotlib",
    "pytest",
    "pytest-xdist",
    "hypothesis",
)

try:
    for name in NEEDED:
        importlib.metadata.version(name)
    import npt_plugin
except ImportError as error:
    sys.exit(f"missing: {error}")
if Path(npt_plugin.__file__).resolve().parent.parent != Path(__file__).resolve().parent.parent:
    sys.exit(f"npt_plugin is another checkout: {npt_plugin.__file__}")
