"""Registered networks."""

from __future__ import annotations

from typing import Any

from torch import nn

from minidassl.modeling.lookup import build_part
from minidassl.utils import Registry

NETWORK_REGISTRY = Registry("NETWORK")


def build_network(name: str, verbose: bool = True, **kwargs: Any) -> nn.Module:
    """Make a registered network.

    Args:
        name: registered name.
        verbose: print the choice.
        **kwargs: handed to its constructor.

    Returns:
        The module.
    """
    return build_part(NETWORK_REGISTRY, "Network", name, verbose, **kwargs)
