"""``npt list``: the names that configs may use."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from npt_plugin.backbone.loading import available_backbones
from npt_plugin.engine.framework import DATASET_REGISTRY, TRAINER_REGISTRY
from npt_plugin.heads import HEADS, TWO_STAGE
from npt_plugin.losses.registry import CLASSIFICATION_LOSSES
from npt_plugin.registration import register_all

KINDS = ("trainers", "datasets", "losses", "heads", "second-stages", "backbones")


def names_of(kind: str) -> list[str]:
    """Sorted names of one kind.

    Args:
        kind: One of ``KINDS``.
    """
    if kind == "backbones":
        return available_backbones()
    if kind == "losses":
        return sorted(CLASSIFICATION_LOSSES)
    if kind in ("heads", "second-stages"):
        return sorted(HEADS if kind == "heads" else TWO_STAGE)
    register_all(base=True)
    registry = TRAINER_REGISTRY if kind == "trainers" else DATASET_REGISTRY
    return sorted(registry.registered_names())


def main(argv: Sequence[str] | None = None) -> int:
    """Print one name a line."""
    p = argparse.ArgumentParser(
        prog="npt list", description=__doc__, epilog="Example: npt list trainers"
    )
    p.add_argument("kind", choices=KINDS)
    print("\n".join(names_of(p.parse_args(argv).kind)))
    return 0
