"""Where the image features of a test come from: computed, shared by a sweep, or on disk."""

from __future__ import annotations

from typing import Any

from npt_plugin.runs.feature_store import StoredFeatures
from npt_plugin.runs.shared_features import SharedBatches, in_order
from npt_plugin.system import shared


def with_known_features(trainer: Any, loader: Any) -> Any:
    """A test loader as ``TEST.FEATURE_STORE`` or a sweep wants it: itself, or features.

    Args:
        trainer: A ``PromptTrainer``.
        loader: Its test or validation loader.
    """
    folder, common = trainer.cfg.TEST.FEATURE_STORE, shared.current()
    fixed = not trainer.model.learns_image_side and hasattr(loader.dataset, "data_source")
    if folder and not fixed:
        print("TEST.FEATURE_STORE is not used: this method learns the image side")
    elif folder:
        return StoredFeatures(loader, trainer.model, folder, trainer.device)
    elif common is not None and fixed and in_order(loader):
        return SharedBatches(common, loader, trainer.model, trainer.device)
    return loader
