"""Tables of backbones, heads and networks; empty but for what a project registers."""

from minidassl.modeling.backbone import BACKBONE_REGISTRY, Backbone, build_backbone
from minidassl.modeling.head import HEAD_REGISTRY, build_head
from minidassl.modeling.network import NETWORK_REGISTRY, build_network

__all__ = [
    "BACKBONE_REGISTRY",
    "HEAD_REGISTRY",
    "NETWORK_REGISTRY",
    "Backbone",
    "build_backbone",
    "build_head",
    "build_network",
]
