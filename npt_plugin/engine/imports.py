"""What happens when an engine is imported: minidassl is found, upstream Dassl is repaired.

Two finders join Python's list. One is asked last and knows where a plain checkout has minidassl, so
``sys.path`` stays as it is. The other is asked first and lets upstream load on current PyTorch,
whether our own code imports it or a host's. Nothing heavy is loaded until an engine is.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType

from npt_plugin.engine.replaced import added

_MINIDASSL = Path(__file__).resolve().parents[2] / "third_party" / "minidassl" / "__init__.py"
_WILDS = "dassl.data.datasets.dg.wilds"
"""Upstream imports it always, though only its WILDS datasets need the packages behind it."""

_SCHEDULERS = "dassl.optim.lr_scheduler"


class CheckoutFinder:
    """Finds minidassl beside ``npt_plugin`` where it is not installed."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where ``minidassl`` is; its submodules are found by its own path."""
        if name != "minidassl" or not _MINIDASSL.is_file():
            return None
        folders = [str(_MINIDASSL.parent)]
        return importlib.util.spec_from_file_location(
            name, _MINIDASSL, submodule_search_locations=folders
        )


class UpstreamFinder:
    """Loads two modules of upstream Dassl differently: without ``wilds``, and with repairs."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """How to load ``name``; None for all but those two."""
        if name == _WILDS and not all(map(importlib.util.find_spec, ("wilds", "pandas"))):
            return ModuleSpec(name, None, is_package=True)  # an empty one
        if name != _SCHEDULERS:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Repaired(spec.loader.name, spec.loader.path)
        return spec


class _Repaired(SourceFileLoader):
    """Loads Dassl's schedulers and repairs them."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        # now, since it loads PyTorch, as Dassl has done already
        importlib.import_module("npt_plugin.engine.repair").repair(module)


def install() -> None:
    """Add both finders, once a process; `import npt_plugin` does it."""
    if any(isinstance(finder, CheckoutFinder) for finder in sys.meta_path):
        return
    finders = UpstreamFinder(), CheckoutFinder()
    sys.meta_path.insert(0, finders[0])
    sys.meta_path.append(finders[1])
    for finder in finders:
        added("sys.meta_path", functools.partial(sys.meta_path.remove, finder))
