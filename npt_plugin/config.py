"""Every config key the plugin adds or gives a meaning to, one row each.

Defaults, ``npt list keys``, ``docs/keys.md``, the comparison of a run's settings with those of a
finished one, and the check that a wrapped host ignores nothing: all are derived from ``KEYS``.

``extend_cfg`` only adds what is missing, so it may run before or after a host's own ``extend_cfg``,
and as often as one likes. Keys of CoOp, CoCoOp, MaPLe, VPT and IVLP keep the names, types and
defaults of their public repositories; existing yaml files load unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from yacs.config import CfgNode as CN


@dataclass(frozen=True)
class Key:
    """One config key.

    Attributes:
        name: Full name, ``NODE.KEY``.
        default: Its default, which fixes its type; None: the key and its default are Dassl's.
        meaning: What it does and which values it takes, in a line.
        numbers: Whether it can change a run's numbers. Keys that only say where files lie, how
            fast a run goes or what it keeps do not: two runs that differ in them are one run.
        ours: Whether only our own training step acts on it. A wrapped host's step would ignore it,
            so there it is refused unless it has its default.
        path: Whether it names a file or folder, maybe relative to where the run was started.
        least: Smallest allowed value.
    """

    name: str
    default: Any
    meaning: str
    numbers: bool = True
    ours: bool = False
    path: bool = False
    least: float | None = None


def _node(prefix: str, *rows: Key, ours: bool = False, numbers: bool = True) -> tuple[Key, ...]:
    named = (replace(row, name=f"{prefix}.{row.name}".lstrip(".")) for row in rows)
    return tuple(replace(row, ours=ours, numbers=numbers) for row in named)


_PREC = "fp32, fp16, amp, bf16 or auto"

_BASE_TRAINERS = (
    *_node(
        "TRAINER.COOP",
        Key("N_CTX", 16, "context vectors"),
        Key("CSC", False, "one context per class instead of a shared one"),
        Key("CTX_INIT", "", "words to start from; empty: normal noise, std 0.02"),
        Key("PREC", "fp16", _PREC),
        Key("CLASS_TOKEN_POSITION", "end", "end, middle or front"),
    ),
    *_node(
        "TRAINER.COCOOP",
        Key("N_CTX", 16, "context vectors"),
        Key("CTX_INIT", "", "words to start from; empty: normal noise, std 0.02"),
        Key("PREC", "fp16", _PREC),
    ),
    *_node(
        "TRAINER.MAPLE",
        Key("N_CTX", 2, "context vectors a layer, coupled in both towers"),
        Key("CTX_INIT", "a photo of a", "words to start from"),
        Key("PREC", "fp16", _PREC),
        Key("PROMPT_DEPTH", 9, "layers that get prompts, 1 (shallow) to the tower's depth"),
    ),
    *_node(
        "TRAINER.IVLP",
        Key("N_CTX_VISION", 2, "visual prompts a layer"),
        Key("N_CTX_TEXT", 2, "context vectors a layer"),
        Key("CTX_INIT", "a photo of a", "words the text side starts from"),
        Key("PREC", "fp16", _PREC),
        Key("PROMPT_DEPTH_VISION", 9, "layers that get visual prompts; 0: no visual side"),
        Key("PROMPT_DEPTH_TEXT", 9, "layers that get text prompts, from 1"),
    ),
    *_node(
        "TRAINER.VPT",
        Key("N_CTX_VISION", 2, "visual prompts a layer"),
        Key("CTX_INIT", "a photo of a", "not used, as in the public code"),
        Key("PREC", "fp16", _PREC),
        Key("PROMPT_DEPTH_VISION", 1, "layers that get prompts, from 1"),
    ),
    *_node(
        "TRAINER.ZSCLIP",
        Key("TEMPLATE", "", "prompt with one {}; empty: the one published for the dataset"),
        Key("PREC", "auto", _PREC),
    ),
)

_HEADS = (
    *_node(
        "TRAINER.HEAD",  # of Decoder, LinearProbe and GNM_PT
        Key("NAME", "cosine", "text (fixed rows), cosine or linear"),
        Key("INIT", "text", "where cosine and linear rows start: text, mean (of class) or random"),
        Key("SCALE", 0.0, "text and cosine heads: logits = this x cosine; 0: CLIP's own scale"),
    ),
    *_node(
        "TRAINER.DECODER",
        Key("DEPTH", 3, "blocks; 0: the head on the plain class token"),
        Key("HEADS", 4, "attention heads; must divide the tower's width"),
        Key("MLP_RATIO", 0.5, "width of a block's MLP over the tower's width"),
        Key("FINAL_NORM", False, "CLIP's ln_post between decoder and head"),
        Key("PREC", "auto", _PREC),
    ),
    *_node(
        "TRAINER.LINEAR_PROBE",
        Key("FEATURE", "projected", "projected (size D) or ln_post (the tower's width)"),
        Key("PREC", "auto", _PREC),
    ),
    *_node(
        "TRAINER.GNM_PT",
        Key("N_CTX", 10, "visual prompts in each layer"),
        Key("DROPOUT", 0.1, "on the feature, in training"),
        Key("NORM_PROMPTS", True, "layer-norm prompt outputs too; False: as released"),
        Key("FEATURE", "ln_post", "ln_post (the tower's width) or projected (size D)"),
        Key("PREC", "auto", _PREC),
    ),
    *_node(
        "TRAINER.TWO_STAGE",
        Key("METHOD", "crt", "crt, lws, disalign or marc"),
        Key("RUN", "", "output folder of the finished first stage of any trainer", path=True),
        Key("SAMPLER", "", "DATALOADER.TRAIN_X.SAMPLER of this stage; empty: the method's own"),
        Key("PREC", "auto", _PREC),
    ),
)

_NPT = _node(
    "TRAINER.NPT",  # docs/methods.md says how the defaults were chosen
    Key("VERSION", "v3", "v3: LC + MI; v2: GD + MI; cpt: clustered terms"),
    Key("BASE", "plugin", "whose base trainer NPT_* extends: plugin (ours) or host"),
    Key("AT", "encoders", "features of a host's trainer the terms act on: encoders or logits"),
    Key("LAMBDA_LC", 10.0, "weight of language-modality collapse (not used by cpt)"),
    Key("LAMBDA_MI", 10.0, "weight of multi-modality isomorphism (not used by cpt)"),
    Key("WARMUP_EPOCH", 0, "epochs over which both weights ramp up linearly; 0: at once"),
    Key("CENTER", True, "subtract the mean over classes, per modality, before the cosines"),
    Key("LC.FORM", "anchored", "etf, nc2, max_angle or anchored"),
    Key("LC.TEMPERATURE", 0.1, "temperature of max_angle"),
    Key("MI.FORM", "pull", "etf, nc3, pull or anchored"),
    Key("MI.MOMENTUM", 0.9, "of the running class means; 0: means of the batch only"),
    Key("GD.GAMMA", 0.5, "how strongly v2's pair weights follow 1/n_k; 0 is LC"),
    Key("CPT.LAMBDA_TETF", 0.25, "cpt: weight of the ETF inside each text cluster"),
    Key("CPT.LAMBDA_CC", 0.15, "cpt: weight of class compactness, image to text"),
    Key("CPT.LAMBDA_RS", 0.10, "cpt: weight of staying near the zero-shot text features"),
    Key("CPT.CLUSTERS", 0, "cpt: K-means clusters of zero-shot text; 0: round(sqrt(classes))"),
    Key("CPT.CLUSTER_SEED", 0, "cpt: seed of K-means"),
)

_LOSSES = (
    "ce, focal, cbw, cb, grw, ldam, balanced_softmax, logit_adjustment, gcl, lade, label_aware"
)
_IMBALANCE_LOSS = _node(
    "TRAINER.IMBALANCE_LOSS",  # classification losses for imbalanced data, with every trainer
    Key("NAME", "ce", _LOSSES),
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

_DATASET = _node(
    "DATASET",
    Key("SUBSAMPLE_CLASSES", "all", "all, base (first half of the labels) or new (second half)"),
    Key("ALLOW_EMPTY_CLASSES", False, "True: classes without training images are for testing"),
    Key("CLASSNAMES_FILE", "", "ImageFolder, List, *LT: readable class names"),
    Key("SPLIT_SEED", 1, "ImageFolder, List without test part: seed of the split, drawn once"),
    Key("TRAIN_LIST", "", 'List: CSV, "<path> <label>" or split_zhou JSON file under ROOT'),
    Key("VAL_LIST", "", "List: the same for validation; empty: none"),
    Key("TEST_LIST", "", "List: the same for testing; empty: a part is divided off"),
    Key("IMBALANCE.RATIO", 1.0, "tau = n_min / n_max in (0, 1]; 1.0 changes nothing"),
    Key("IMBALANCE.PROFILE", "exp", "exp or step"),
    Key("IMBALANCE.ORDER", "index", "which class is head: index, random or frequency"),
    Key("IMBALANCE.MANY_ABOVE", -1, "many-shot classes: n_k > this; -1: by n_max"),
    Key("IMBALANCE.FEW_BELOW", -1, "few-shot classes: n_k < this; -1: by n_max"),
)

_OPTIM = (
    *_node(
        "OPTIM.GNM",  # Gaussian neighbourhood minimisation around the base optimiser
        Key("ENABLED", False, "Gaussian neighbourhood minimisation around the base optimiser"),
        Key("RHO", 0.05, "radius, times SCALE"),
        Key("SCALE", 0.1, "second factor of the radius, as released"),
        Key("SIGMA", 1.0 / 3, "standard deviation of the noise before clamping"),
        Key("CLAMP", 1.0, "largest absolute noise, before the radius"),
        Key("SCHEDULE", "halve", "constant, halve (when DRW starts; needs DRW_EPOCH) or cosine"),
        ours=True,
    ),
    *_node(
        "OPTIM.SAM",
        Key("ENABLED", False, "sharpness-aware minimisation: two passes a step, for comparison"),
        Key("RHO", 0.05, "radius"),
        Key("ADAPTIVE", False, "ASAM: radius relative to each weight's size"),
        ours=True,
    ),
)

_SPEED = _node(
    "",  # what goes where and how fast, in our own step
    Key("MODEL.TEXT_CHUNK", -1, "prompts encoded at a time; 0: all, -1: what fits"),
    Key("TEST.FEATURE_STORE", "", "folder that keeps a frozen tower's test features; empty: off"),
    Key("TEST.SAVE_PREDICTIONS", True, "keep logits and features for plots"),
    Key("TRAIN.LOG", "tensorboard", "where curves go: tensorboard, wandb, tensorboard+wandb, none"),
    Key("TEST.NC_PER_EPOCH", 0, "epochs between NC metrics of the test images; 0: at the end"),
    ours=True,
    numbers=False,
)

_STEP = _node(
    "",
    Key("INPUT.CACHED_VIEWS", 0, "augmented views cached per training image; 0: off"),
    Key("MODEL.CLIP_WEIGHTS", "", "path of CLIP weights, in place of a backbone's", path=True),
    Key("TRAIN.IMAGE_CHUNKS", 1, "pieces a batch is encoded in: less memory", least=1),
    Key("TRAIN.STEPS", 0, "optimiser steps; 0: MAX_EPOCH epochs, -1: theirs if balanced", least=-1),
    ours=True,
)

_LOADER = (
    Key("INPUT.IMAGE_CACHE", "", "memory: keep decoded training images; empty: off", numbers=False),
    Key("DATALOADER.DETERMINISTIC_AUG", False, "augment by (seed, epoch, image), not by RNG state"),
)

KEYS = (
    *(*_BASE_TRAINERS, *_HEADS, *_NPT, *_IMBALANCE_LOSS),
    *(*_DATASET, *_OPTIM, *_SPEED, *_STEP, *_LOADER),
)
"""The keys we add."""

DASSL_KEYS = (
    Key("OUTPUT_DIR", None, "folder for log, prompts and results", numbers=False),
    Key("RESUME", None, "folder of an interrupted run to go on with", numbers=False),
    Key("SEED", None, "seed of every random choice; -1: unseeded", least=-1),
    Key("USE_CUDA", None, "use a GPU where there is one", numbers=False),
    Key("VERBOSE", None, "print more", numbers=False),
    Key("DATASET.ROOT", None, "folder that holds the datasets", numbers=False, path=True),
    Key("DATALOADER.NUM_WORKERS", None, "processes that load images", numbers=False, least=0),
    Key("DATALOADER.TRAIN_X.BATCH_SIZE", None, "training images a step", least=1),
    Key("DATALOADER.TEST.BATCH_SIZE", None, "test images a batch", least=1),
    Key("OPTIM.LR", None, "learning rate", least=0),
    Key("OPTIM.MAX_EPOCH", None, "epochs", least=1),
    Key("OPTIM.WEIGHT_DECAY", None, "weight decay", least=0),
    Key("TRAIN.PRINT_FREQ", None, "steps between two log lines", numbers=False, least=1),
    Key("TRAIN.CHECKPOINT_FREQ", None, "epochs between checkpoints; 0: the last", numbers=False),
    Key("TEST.PER_CLASS_RESULT", None, "print each class's accuracy", numbers=False),
    Key("TEST.COMPUTE_CMAT", None, "write a confusion matrix", numbers=False),
)
"""Dassl's own keys of which we know more than their default."""


def defaults() -> CN:
    """A fresh tree of all keys the plugin adds, with their defaults."""
    root = CN()
    for key in KEYS:
        *nodes, last = key.name.split(".")
        place = root
        for node in nodes:
            place = place.setdefault(node, CN())
        place[last] = key.default
    return root


def extend_cfg(cfg: CN) -> CN:
    """Add the plugin's keys to a Dassl config, leaving every existing value alone.

    Args:
        cfg: Dassl's config (``get_cfg_default()``), not frozen, changed in place.

    Returns:
        The same object, for chaining.
    """
    _add_missing(cfg, defaults())
    return cfg


def _add_missing(target: CN, source: CN) -> None:
    for key, value in source.items():
        if key not in target:
            target[key] = value
        elif isinstance(value, CN) and isinstance(target[key], CN):
            _add_missing(target[key], value)
