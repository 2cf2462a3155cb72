"""Neural-collapse-anchored prompt tuning of CLIP under class imbalance, as a Dassl plugin.

In a Dassl project::

    import npt_plugin
    npt_plugin.extend_cfg(cfg)      # after the project's own extend_cfg, or before

registers the ``NPT_*`` trainers and ``Imbalanced*`` datasets beside the project's own.

From Python, without a command line::

    from npt_plugin import Predictor, train

    run = train("NPT_CoOp", "embedded_shades", "tiny_ep50_ctxv1", "output/try")
    print(run.record.metrics["accuracy"])
    print(Predictor.from_run(run.path).top_k("photo.jpg", k=3))
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from npt_plugin.engine import imports, replaced
from npt_plugin.system.version import VERSION

if TYPE_CHECKING:
    from npt_plugin.errors import UserError as UserError
    from npt_plugin.predictor import Predictor as Predictor
    from npt_plugin.runs.folder import RunFolder as RunFolder
    from npt_plugin.runs.record import Record as Record
    from npt_plugin.runs.record import read_record as read_record
    from npt_plugin.sweep.from_python import evaluate as evaluate
    from npt_plugin.sweep.from_python import run_sweep as run_sweep
    from npt_plugin.sweep.from_python import train as train
    from npt_plugin.sweep.grid import Grid as Grid

__version__ = VERSION

_LATE = {
    "Grid": "npt_plugin.sweep.grid",
    "Predictor": "npt_plugin.predictor",
    "Record": "npt_plugin.runs.record",
    "RunFolder": "npt_plugin.runs.folder",
    "UserError": "npt_plugin.errors",
    "evaluate": "npt_plugin.sweep.from_python",
    "read_record": "npt_plugin.runs.record",
    "run_sweep": "npt_plugin.sweep.from_python",
    "train": "npt_plugin.sweep.from_python",
}
"""Public names and where they live; loaded when asked for: ``import npt_plugin`` stays light."""

__all__ = ["__version__", "extend_cfg", "register", "unregister", *_LATE]

imports.install()


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LATE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATE})


def extend_cfg(cfg: Any) -> Any:
    """Add our config keys to ``cfg`` in place and register our trainers and datasets."""
    from npt_plugin.config import extend_cfg as add_keys

    register()
    return add_keys(cfg)


def register(base: bool = False) -> None:
    """Register ``NPT_*`` trainers and ``Imbalanced*`` datasets; safe to call again.

    Args:
        base: Also register the published trainers and the plain datasets (our own ``train.py``).
            Inside a host these names belong to the host.
    """
    from npt_plugin.registration import register_all

    register_all(base)


def unregister() -> None:
    """Undo ``import npt_plugin`` and ``register``: Dassl and PyTorch are as they were before.

    Names leave the registries, replaced functions and repairs go. ``register()`` brings them back.

    Raises:
        UserError: If trainers still exist that were built in between: delete them first.
    """
    if "npt_plugin.registration" not in sys.modules:  # nothing is registered
        replaced.undo_all()
        return
    from npt_plugin.registration import unregister_all

    unregister_all()
