"""Terms that NPT and CPT add, and classification losses for imbalanced data."""

from npt_plugin.evaluation.posthoc import posthoc_adjust, tau_normalize
from npt_plugin.losses.objective import Objective, build_objective, needs_zero_shot
from npt_plugin.losses.registry import CLASSIFICATION_LOSSES, build_classification_loss

__all__ = [
    "CLASSIFICATION_LOSSES",
    "Objective",
    "build_classification_loss",
    "build_objective",
    "needs_zero_shot",
    "posthoc_adjust",
    "tau_normalize",
]
