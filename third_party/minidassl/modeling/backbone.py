"""Registered backbones."""

from __future__ import annotations

from typing import Any

from torch import nn

from minidassl.modeling.lookup import build_part
from minidassl.utils import Registry

BACKBONE_REGISTRY = Registry("BACKBONE")


def build_backbone(name: str, verbose: bool = True, **kwargs: Any) -> nn.Module:
    """Make a registered backbone.

    Args:
        name: registered name.
        verbose: print the choice.
        **kwargs: handed to its constructor.

    Returns:
        The module.
    """
    return build_part(BACKBONE_REGISTRY, "Backbone", name, verbose, **kwargs)


class Backbone(nn.Module):
    """Base of feature extractors; a subclass sets ``_out_features``."""

    _out_features: int | None = None

    @property
    def out_features(self) -> int | None:
        """Width of the features, or None while unknown."""
        return self._out_features
