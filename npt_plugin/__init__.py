"""Neural-collapse-anchored prompt tuning of CLIP under class imbalance, as a Dassl plugin.

In a Dassl project::

    import npt_plugin
    npt_plugin.extend_cfg(cfg)      # after the project's own extend_cfg, or before

registers the ``NPT_*`` trainers and ``Imbalanced*`` datasets beside the project's own.
"""

from __future__ import annotations

from typing import Any

from npt_plugin.engine import imports

__version__ = "0.2.0"

__all__ = ["__version__", "extend_cfg", "register"]

imports.install()


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
