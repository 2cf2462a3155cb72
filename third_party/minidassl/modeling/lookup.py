"""Build a registered model part by name."""

from __future__ import annotations

from typing import Any

from torch import nn

from minidassl.utils import Registry, check_availability


def build_part(registry: Registry, kind: str, name: str, verbose: bool, **kwargs: Any) -> nn.Module:
    """Look a constructor up and call it.

    Args:
        registry: where to look.
        kind: what it is, for the log line.
        name: registered name.
        verbose: print the choice.
        **kwargs: handed to the constructor.

    Returns:
        The module.

    Raises:
        ConfigError: (a ValueError) the name is not registered.
    """
    check_availability(name, registry.registered_names())
    if verbose:
        print(f"{kind}: {name}")
    return registry.get(name)(**kwargs)
