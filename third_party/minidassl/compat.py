"""Let code written for Dassl import this engine under the name ``dassl``."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import minidassl

# Module paths of Dassl whose content lives elsewhere here.
_OTHER_PATHS = {
    "utils.tools": "utils",
    "utils.torchtools": "utils",
    "data.transforms.transforms": "data.transforms",
    "config.defaults": "config",
}


def install_as_dassl() -> None:
    """Make ``import dassl`` and its submodules mean this package, in this process.

    Every module is entered under both names as the same object, so that registries exist once.
    Calling it again does nothing.

    Raises:
        RuntimeError: Another package named ``dassl`` is imported already.
    """
    present = sys.modules.get("dassl")
    if present is not None and present is not minidassl:
        raise RuntimeError("Another package named dassl is imported already; minidassl stays out.")
    prefix = f"{minidassl.__name__}."
    for info in pkgutil.walk_packages(minidassl.__path__, prefix):
        module = importlib.import_module(info.name)
        sys.modules[f"dassl.{info.name.removeprefix(prefix)}"] = module
    for theirs, ours in _OTHER_PATHS.items():
        sys.modules[f"dassl.{theirs}"] = importlib.import_module(prefix + ours)
    sys.modules["dassl"] = minidassl
