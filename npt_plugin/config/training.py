"""Keys of our own step: optimiser, what goes where, how fast, what is kept."""

from __future__ import annotations

from npt_plugin.config.key import Key, node

OPTIM = (
    *node(
        "OPTIM.GNM",  # Gaussian neighbourhood minimisation around the base optimiser
        Key("ENABLED", False, "Gaussian neighbourhood minimisation around the base optimiser"),
        Key("RHO", 0.05, "radius, times SCALE"),
        Key("SCALE", 0.1, "second factor of the radius, as released"),
        Key("SIGMA", 1.0 / 3, "standard deviation of the noise before clamping"),
        Key("CLAMP", 1.0, "largest absolute noise, before the radius"),
        Key("SCHEDULE", "halve", "constant, halve (when DRW starts; needs DRW_EPOCH) or cosine"),
        ours=True,
    ),
    *node(
        "OPTIM.SAM",
        Key("ENABLED", False, "sharpness-aware minimisation: two passes a step, for comparison"),
        Key("RHO", 0.05, "radius"),
        Key("ADAPTIVE", False, "ASAM: radius relative to each weight's size"),
        ours=True,
    ),
)


SPEED = node(
    "",  # what goes where and how fast, in our own step
    Key("MODEL.TEXT_CHUNK", -1, "prompts encoded at a time; 0: all, -1: what fits"),
    Key("TEST.FEATURE_STORE", "", "folder that keeps a frozen tower's test features; empty: off"),
    Key("TEST.SAVE_PREDICTIONS", True, "keep logits and features for plots"),
    Key("TRAIN.LOG", "tensorboard", "where curves go: tensorboard, wandb, tensorboard+wandb, none"),
    Key("TEST.NC_PER_EPOCH", 0, "epochs between NC metrics of the test images; 0: at the end"),
    ours=True,
    numbers=False,
)


STEP = node(
    "",
    Key("INPUT.CACHED_VIEWS", 0, "augmented views cached per training image; 0: off"),
    Key("MODEL.CLIP_WEIGHTS", "", "path of CLIP weights, in place of a backbone's", path=True),
    Key("TRAIN.IMAGE_CHUNKS", 1, "pieces a batch is encoded in: less memory", least=1),
    Key("TRAIN.STEPS", 0, "optimiser steps; 0: MAX_EPOCH epochs, -1: theirs if balanced", least=-1),
    Key("TEST.ZERO_SHOT_SHARE", 0.0, "CoOp and kin: tested text = this x zero-shot + the rest"),
    Key("TRAIN.AVERAGE", "", "gaussian: test the weighted mean of all epochs; empty: the last"),
    Key("TRAIN.AVERAGE_MEAN", 15.0, "gaussian: epoch of the largest weight, from 1"),
    Key("TRAIN.AVERAGE_SD", 1.0, "gaussian: standard deviation in epochs"),
    ours=True,
)
