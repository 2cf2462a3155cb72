"""Every yacs key the plugin adds: its default and one line of meaning.

``extend_cfg`` only adds what is missing, so it may run before or after a host's own ``extend_cfg``,
and as often as one likes. Keys of CoOp, CoCoOp, MaPLe, VPT and IVLP keep the names, types and
defaults of their public repositories; existing yaml files load unchanged.
"""

from __future__ import annotations

from yacs.config import CfgNode as CN

REMOVED = {
    "DATASET.FEWSHOT_CACHE": "every run records its choice in selection.json",
    "INPUT.IMAGE_CACHE_DIR": "INPUT.IMAGE_CACHE keeps images in memory only",
}
"""Keys of version 0.1 that are gone, and why nobody misses them. None of them changes numbers."""


def _base_trainers() -> CN:
    """Keys of the published prompt learners."""
    node = CN()

    node.COOP = CN()
    node.COOP.N_CTX = 16  # context vectors
    node.COOP.CSC = False  # one context per class instead of a shared one
    node.COOP.CTX_INIT = ""  # words to start from; empty: normal noise, std 0.02
    node.COOP.PREC = "fp16"  # fp32, fp16, amp, bf16 or auto
    node.COOP.CLASS_TOKEN_POSITION = "end"  # end, middle or front

    node.COCOOP = CN()
    node.COCOOP.N_CTX = 16  # context vectors
    node.COCOOP.CTX_INIT = ""  # words to start from; empty: normal noise, std 0.02
    node.COCOOP.PREC = "fp16"  # fp32, fp16, amp, bf16 or auto

    node.MAPLE = CN()
    node.MAPLE.N_CTX = 2  # context vectors a layer, coupled in both towers
    node.MAPLE.CTX_INIT = "a photo of a"  # words to start from
    node.MAPLE.PREC = "fp16"  # fp32, fp16, amp, bf16 or auto
    node.MAPLE.PROMPT_DEPTH = 9  # layers that get prompts, 1 (shallow) to the tower's depth

    node.IVLP = CN()
    node.IVLP.N_CTX_VISION = 2  # visual prompts a layer
    node.IVLP.N_CTX_TEXT = 2  # context vectors a layer
    node.IVLP.CTX_INIT = "a photo of a"  # words the text side starts from
    node.IVLP.PREC = "fp16"  # fp32, fp16, amp, bf16 or auto
    node.IVLP.PROMPT_DEPTH_VISION = 9  # 0 switches the side off
    node.IVLP.PROMPT_DEPTH_TEXT = 9  # layers that get prompts, from 1

    node.VPT = CN()
    node.VPT.N_CTX_VISION = 2  # visual prompts a layer
    node.VPT.CTX_INIT = "a photo of a"  # not used, as in the public code
    node.VPT.PREC = "fp16"  # fp32, fp16, amp, bf16 or auto
    node.VPT.PROMPT_DEPTH_VISION = 1  # layers that get prompts, from 1

    node.ZSCLIP = CN()
    node.ZSCLIP.TEMPLATE = ""  # empty: the template published for the dataset
    node.ZSCLIP.PREC = "auto"  # fp32, fp16, amp, bf16 or auto
    return node


def _heads() -> CN:
    """Trainers with a classifier head, and the second stage (npt_plugin/heads)."""
    node = CN()

    node.HEAD = CN()  # of Decoder, LinearProbe and GNM_PT
    node.HEAD.NAME = "cosine"  # text (fixed rows), cosine or linear
    node.HEAD.INIT = "text"  # where cosine and linear rows start: text, mean (of class) or random
    node.HEAD.SCALE = 0.0  # logits = this x cosine, text and cosine heads; 0: CLIP's own scale

    node.DECODER = CN()
    node.DECODER.DEPTH = 3  # blocks; 0: the head on the plain class token
    node.DECODER.HEADS = 4  # attention heads; must divide the tower's width
    node.DECODER.MLP_RATIO = 0.5  # width of a block's MLP over the tower's width
    node.DECODER.FINAL_NORM = False  # CLIP's ln_post between decoder and head
    node.DECODER.PREC = "auto"  # fp32, fp16, amp, bf16 or auto

    node.LINEAR_PROBE = CN()
    node.LINEAR_PROBE.FEATURE = "projected"  # projected (size D) or ln_post (the tower's width)
    node.LINEAR_PROBE.PREC = "auto"  # fp32, fp16, amp, bf16 or auto

    node.GNM_PT = CN()
    node.GNM_PT.N_CTX = 10  # visual prompts in each layer
    node.GNM_PT.DROPOUT = 0.1  # on the feature, in training
    node.GNM_PT.NORM_PROMPTS = True  # layer-norm prompt outputs too; False: as released
    node.GNM_PT.FEATURE = "ln_post"  # ln_post (the tower's width) or projected (size D)
    node.GNM_PT.PREC = "auto"  # fp32, fp16, amp, bf16 or auto

    node.TWO_STAGE = CN()
    node.TWO_STAGE.METHOD = "crt"  # crt, lws, disalign or marc
    node.TWO_STAGE.RUN = ""  # output folder of the finished first stage, of any of our trainers
    node.TWO_STAGE.SAMPLER = ""  # DATALOADER.TRAIN_X.SAMPLER of this stage; "": the method's own
    node.TWO_STAGE.PREC = "auto"  # fp32, fp16, amp, bf16 or auto
    return node


def _npt() -> CN:
    """Neural-collapse-anchored prompt tuning; docs/methods.md says how defaults were chosen."""
    node = CN()
    node.VERSION = "v3"  # v3: LC + MI; v2: GD + MI; cpt: clustered terms
    node.BASE = "plugin"  # whose base trainer NPT_* extends: plugin (ours) or host
    node.LAMBDA_LC = 10.0  # weight of language-modality collapse
    node.LAMBDA_MI = 10.0  # weight of multi-modality isomorphism
    node.WARMUP_EPOCH = 0  # epochs over which both weights ramp up linearly; 0: at once
    node.CENTER = True  # subtract the mean over classes, per modality, before the cosines
    node.LC = CN()
    node.LC.FORM = "anchored"  # etf, nc2, max_angle or anchored
    node.LC.TEMPERATURE = 0.1  # T of max_angle
    node.MI = CN()
    node.MI.FORM = "pull"  # etf, nc3, pull or anchored
    node.MI.MOMENTUM = 0.9  # EMA of the class means; 0: means of the batch only
    node.GD = CN()
    node.GD.GAMMA = 0.5  # how strongly v2's pair weights follow 1/n_k; 0 is LC
    node.CPT = CN()  # used by VERSION cpt only; LAMBDA_LC and LAMBDA_MI are not used by it
    node.CPT.LAMBDA_TETF = 0.25  # weight of the ETF inside each text cluster
    node.CPT.LAMBDA_CC = 0.15  # weight of class compactness, image to text
    node.CPT.LAMBDA_RS = 0.10  # weight of staying near the zero-shot text features
    node.CPT.CLUSTERS = 0  # K-means clusters of the zero-shot text; 0: round(sqrt(classes))
    node.CPT.CLUSTER_SEED = 0  # seed of K-means
    return node


def _imbalance_loss() -> CN:
    """Classification losses for imbalanced data, usable with every trainer."""
    node = CN()
    # ce, focal, cbw, cb, grw, ldam, balanced_softmax, logit_adjustment, gcl, lade, label_aware
    node.NAME = "ce"
    node.TAU = 1.0  # strength of logit_adjustment; balanced_softmax is always 1
    node.FOCAL_GAMMA = 2.0  # focal: exponent of 1 - p
    node.CB_BETA = 0.9999  # cb: beta of the effective number of samples
    node.GRW_POWER = 1.2  # grw: weights follow n_k to the minus this
    # ldam and gcl: margin in logits = this x margin, on every head; 0: x the head's own scale
    node.LOGIT_SCALE = 100.0
    node.LDAM_MARGIN = 0.125  # largest margin; x LOGIT_SCALE is the published 0.5 x 25 logits
    node.GCL_MARGIN = 0.025  # margin of the true class; x LOGIT_SCALE: the published 0.1 x 25
    node.GCL_NOISE = 0.25  # noise of the rarest class; x LOGIT_SCALE: the published 1 x 25
    node.GCL_GAMMA = 0.0  # gcl: focal exponent; 0: off
    node.LADE_ALPHA = 0.1  # lade: weight of the estimator
    node.LADE_LAMBDA = 0.1  # lade: weight of its squared part
    node.SMOOTH_HEAD = 0.3  # label_aware: smoothing of the most frequent class
    node.SMOOTH_TAIL = 0.0  # label_aware: smoothing of the rarest class
    node.SMOOTH_SHAPE = "concave"  # label_aware: concave, linear, convex or power
    node.SMOOTH_POWER = 2.0  # label_aware: exponent of the power shape
    node.DRW_EPOCH = -1  # re-weight classes in epochs above this one, any NAME; -1: never
    node.DRW_BETA = 0.9999  # beta of the deferred weights (0.9998 goes with gcl)
    node.POSTHOC_TAU = 0.0  # at test time: logits - this x log(prior); 0: off
    node.TAU_NORM = 0.0  # at test time, linear heads: rows / norm^this, no bias; 0: off
    return node


def _dataset() -> CN:
    """Additions to DATASET."""
    node = CN()
    node.SUBSAMPLE_CLASSES = "all"  # all, base (first half of the labels) or new (second half)
    node.ALLOW_EMPTY_CLASSES = False  # True: a class without training images is for testing only
    node.CLASSNAMES_FILE = ""  # ImageFolder, List, *LT: readable class names
    node.SPLIT_SEED = 1  # ImageFolder, List without test part: seed of the split, drawn once
    node.TRAIN_LIST = ""  # List: CSV or "<path> <label>" file, relative to ROOT
    node.VAL_LIST = ""
    node.TEST_LIST = ""
    node.IMBALANCE = CN()
    node.IMBALANCE.RATIO = 1.0  # tau = n_min / n_max in (0, 1]; 1.0 changes nothing
    node.IMBALANCE.PROFILE = "exp"  # exp or step
    node.IMBALANCE.ORDER = "index"  # which class is head: index, random or frequency
    node.IMBALANCE.MANY_ABOVE = -1  # many-shot: n_k > this; -1: by n_max, see evaluation/metrics.py
    node.IMBALANCE.FEW_BELOW = -1  # few-shot: n_k < this; -1: by n_max
    return node


def _optim() -> CN:
    """Additions to OPTIM."""
    node = CN()
    node.GNM = CN()
    node.GNM.ENABLED = False  # Gaussian neighbourhood minimisation around the base optimiser
    node.GNM.RHO = 0.05  # radius, times SCALE
    node.GNM.SCALE = 0.1  # second factor of the radius, as released
    node.GNM.SIGMA = 1.0 / 3  # standard deviation of the noise before clamping
    node.GNM.CLAMP = 1.0  # largest absolute noise, before the radius
    node.GNM.SCHEDULE = "halve"  # constant, halve (when DRW starts; needs DRW_EPOCH) or cosine
    node.SAM = CN()
    node.SAM.ENABLED = False  # sharpness-aware minimisation: two passes a step, for comparison
    node.SAM.RHO = 0.05  # radius
    node.SAM.ADAPTIVE = False  # ASAM: radius relative to each weight's size
    return node


def defaults() -> CN:
    """A fresh tree of all keys the plugin adds, with their defaults."""
    root = CN()
    root.TRAINER = _base_trainers()
    root.TRAINER.update(_heads())
    root.TRAINER.NPT = _npt()
    root.TRAINER.IMBALANCE_LOSS = _imbalance_loss()
    root.DATASET = _dataset()
    root.OPTIM = _optim()
    root.INPUT = CN()
    root.INPUT.IMAGE_CACHE = ""  # keep decoded training images: "" (off) or memory
    root.DATALOADER = CN()
    root.DATALOADER.DETERMINISTIC_AUG = False  # augment by (seed, epoch, image), not by RNG state
    root.INPUT.FEATURE_CACHE = 0  # augmented views cached per training image; 0: off
    root.MODEL = CN()
    root.MODEL.TEXT_CHUNK = -1  # prompts encoded at a time, checkpointed; 0: all, -1: what fits
    root.MODEL.COMPILE = False  # torch.compile both towers (needs a C++ compiler)
    root.MODEL.CLIP_WEIGHTS = ""  # path of CLIP weights; overrides MODEL.BACKBONE.NAME
    root.TEST = CN()
    root.TEST.FEATURE_CACHE = ""  # folder that keeps test image features of a frozen tower; "": off
    root.TEST.SAVE_PREDICTIONS = True  # keep logits, labels and features for plots
    root.TEST.NC_PER_EPOCH = 0  # NC metrics of the test images every so many epochs; 0: at the end
    root.TRAIN = CN()
    root.TRAIN.ACCUMULATE = 1  # pieces a batch is seen in: less memory, the same gradients
    root.TRAIN.STEPS = 0  # optimiser steps in total; 0: MAX_EPOCH epochs, as upstream
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
