"""Config keys of older versions that have another name now, are gone, or meant something else."""

from __future__ import annotations

from typing import Any

RENAMED = {
    "INPUT.FEATURE_CACHE": "INPUT.CACHED_VIEWS",
    "TEST.FEATURE_CACHE": "TEST.FEATURE_STORE",
    "TRAIN.ACCUMULATE": "TRAIN.IMAGE_CHUNKS",
}
"""Keys of version 0.1 by their present name: still taken, in files, options and old records."""

REMOVED = {
    "DATASET.FEWSHOT_CACHE": "every run records its choice in selection.json",
    "INPUT.IMAGE_CACHE_DIR": "INPUT.IMAGE_CACHE keeps images in memory only",
    "MODEL.COMPILE": "torch.compile made runs slower",
}
"""Keys of version 0.1 that are gone, and why nobody misses them. None of them changes numbers."""


def meant_before(flat: dict[str, Any]) -> dict[str, Any]:
    """What an older run did where its record lacks a key and the key's default is another.

    Args:
        flat: The record's config, flattened.
    """
    # on the embedded CLIP both units are one
    own_units = flat.get("MODEL.BACKBONE.NAME") == "Tiny" and not flat.get("MODEL.CLIP_WEIGHTS")
    if not str(flat.get("TRAINER.NAME", "")).startswith("NPT_"):
        return {}
    alike = {"TRAINER.NPT.PRIOR_COUNT": 0.0}
    return alike if own_units else {**alike, "TRAINER.NPT.UNITS": "cosine"}
