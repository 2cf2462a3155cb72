"""Keys of the classification losses for imbalanced data."""

from __future__ import annotations

from npt_plugin.config.key import Key, node

IMBALANCE_LOSS = node(
    "TRAINER.IMBALANCE_LOSS",  # classification losses for imbalanced data, with every trainer
    Key("NAME", "ce", "ce, focal, ldam, gcl, balanced_softmax, ...: npt list losses has all"),
    Key("TAU", 1.0, "strength of logit_adjustment; balanced_softmax is always 1"),
    Key("FOCAL_GAMMA", 2.0, "focal: exponent of 1 - p"),
    Key("CB_BETA", 0.9999, "cb: beta of the effective number of samples"),
    Key("GRW_POWER", 1.2, "grw: weights follow n_k to the minus this"),
    Key("LOGIT_SCALE", 100.0, "ldam, gcl: margins in logits = this x margin; 0: x head's scale"),
    Key("LDAM_MARGIN", 0.125, "largest margin; x LOGIT_SCALE is the published 0.5 x 25 logits"),
    Key("GCL_MARGIN", 0.025, "margin of the true class; x LOGIT_SCALE: the published 0.1 x 25"),
    Key("GCL_NOISE", 0.25, "noise of the rarest class; x LOGIT_SCALE: the published 1 x 25"),
    Key("GCL_GAMMA", 0.0, "gcl: focal exponent; 0: off"),
    Key("LADE_ALPHA", 0.1, "lade: weight of the estimator"),
    Key("LADE_LAMBDA", 0.1, "lade: weight of its squared part"),
    Key("SMOOTH_HEAD", 0.3, "label_aware: smoothing of the most frequent class"),
    Key("SMOOTH_TAIL", 0.0, "label_aware: smoothing of the rarest class"),
    Key("SMOOTH_SHAPE", "concave", "label_aware: concave, linear, convex or power"),
    Key("SMOOTH_POWER", 2.0, "label_aware: exponent of the power shape"),
    Key("DRW_EPOCH", -1, "re-weight classes in epochs above this one, any NAME; -1: never"),
    Key("DRW_BETA", 0.9999, "beta of the deferred weights (0.9998 goes with gcl)"),
    Key("POSTHOC_TAU", 0.0, "at test time: logits - this x log(prior); 0: off"),
    Key("TAU_NORM", 0.0, "at test time, linear heads: rows / norm^this, no bias; 0: off"),
    ours=True,
)
