"""Registered heads."""

from __future__ import annotations

from typing import Any

from torch import nn

from minidassl.modeling.lookup import build_part
from minidassl.utils import Registry

HEAD_REGISTRY = Registry("HEAD")


def build_head(name: str, verbose: bool = True, **kwargs: Any) -> nn.Module:
    """Make a registered head.

    Args:
        name: registered name.
        verbose: print the choice.
        **kwargs: handed to its constructor.

    Returns:
        The module.
    """
    return build_part(HEAD_REGISTRY, "Head", name, verbose, **kwargs)
