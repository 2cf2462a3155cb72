"""Default value of every config key that is not a trainer's own.

Key names, types and defaults are those of Dassl, so that existing yaml files load unchanged.
"""

from __future__ import annotations

from typing import Any

_INPUT: dict[str, Any] = {
    "SIZE": (224, 224),  # height, width in pixels
    "INTERPOLATION": "bilinear",  # bilinear, bicubic or nearest
    "TRANSFORMS": (),  # names, see minidassl.data.transforms
    "NO_TRANSFORM": False,  # hand out PIL images as they are
    "PIXEL_MEAN": [0.485, 0.456, 0.406],  # ImageNet statistics
    "PIXEL_STD": [0.229, 0.224, 0.225],
    "CROP_PADDING": 4,  # random_crop, pixels on each side
    "RRCROP_SCALE": (0.08, 1.0),  # random_resized_crop, share of the area
    "CUTOUT_N": 1,  # cutout: how many holes
    "CUTOUT_LEN": 16,  # and their side in pixels
    "GN_MEAN": 0.0,  # gaussian_noise
    "GN_STD": 0.15,
    "RANDAUGMENT_N": 2,  # operations an image
    "RANDAUGMENT_M": 10,  # strength, 0 to 30
    "COLORJITTER_B": 0.4,  # brightness
    "COLORJITTER_C": 0.4,  # contrast
    "COLORJITTER_S": 0.4,  # saturation
    "COLORJITTER_H": 0.1,  # hue
    "RGS_P": 0.2,  # randomgrayscale, probability
    "GB_P": 0.5,  # gaussian_blur, probability
    "GB_K": 21,  # and kernel size, odd
}

_DATASET: dict[str, Any] = {
    "ROOT": "",
    "NAME": "",
    "SOURCE_DOMAINS": (),
    "TARGET_DOMAINS": (),
    "NUM_LABELED": -1,  # labelled images in all, semi-supervised sets
    "NUM_SHOTS": -1,  # images a class; below 1 keeps all
    "VAL_PERCENT": 0.1,  # share held out, semi-supervised sets
    "STL10_FOLD": -1,
    "CIFAR_C_TYPE": "",
    "CIFAR_C_LEVEL": 1,
    "ALL_AS_UNLABELED": False,
}

_TRAIN_LOADER: dict[str, Any] = {
    "SAMPLER": "RandomSampler",
    "BATCH_SIZE": 32,
    "N_DOMAIN": 0,  # RandomDomainSampler: domains a batch, 0 for all
    "N_INS": 16,  # RandomClassSampler: images a class in a batch
}

_DATALOADER: dict[str, Any] = {
    "NUM_WORKERS": 4,
    "K_TRANSFORMS": 1,  # augmented views of each training image
    "RETURN_IMG0": False,  # also hand out the plain image as "img0"
    "TRAIN_X": dict(_TRAIN_LOADER),
    "TRAIN_U": {"SAME_AS_X": True, **_TRAIN_LOADER},
    "TEST": {"SAMPLER": "SequentialSampler", "BATCH_SIZE": 32},
}

_MODEL: dict[str, Any] = {
    "INIT_WEIGHTS": "",  # weights file to start from
    "BACKBONE": {"NAME": "", "PRETRAINED": True},
    "HEAD": {"NAME": "", "HIDDEN_LAYERS": (), "ACTIVATION": "relu", "BN": True, "DROPOUT": 0.0},
}

_OPTIM: dict[str, Any] = {
    "NAME": "adam",
    "LR": 0.0003,
    "WEIGHT_DECAY": 5e-4,
    "MOMENTUM": 0.9,
    "SGD_DAMPNING": 0,
    "SGD_NESTEROV": False,
    "RMSPROP_ALPHA": 0.99,
    "ADAM_BETA1": 0.9,  # all of the Adam family
    "ADAM_BETA2": 0.999,
    "STAGED_LR": False,  # a smaller rate for all but NEW_LAYERS
    "NEW_LAYERS": (),
    "BASE_LR_MULT": 0.1,
    "LR_SCHEDULER": "single_step",
    "STEPSIZE": (-1,),  # below 1 means MAX_EPOCH
    "GAMMA": 0.1,
    "MAX_EPOCH": 10,
    "WARMUP_EPOCH": -1,  # below 1 means none
    "WARMUP_TYPE": "linear",  # or constant
    "WARMUP_CONS_LR": 1e-5,  # rate of a constant warm-up
    "WARMUP_MIN_LR": 1e-5,  # first rate of a linear warm-up
    "WARMUP_RECOUNT": True,  # the schedule starts counting after the warm-up
}

DEFAULTS: dict[str, Any] = {
    "VERSION": 1,
    "OUTPUT_DIR": "./output",
    "RESUME": "",  # folder of an earlier run to go on from
    "SEED": -1,  # negative: not seeded
    "USE_CUDA": True,
    "VERBOSE": True,
    "INPUT": _INPUT,
    "DATASET": _DATASET,
    "DATALOADER": _DATALOADER,
    "MODEL": _MODEL,
    "OPTIM": _OPTIM,
    "TRAIN": {
        "CHECKPOINT_FREQ": 0,  # epochs; below 1 saves the last epoch only
        "PRINT_FREQ": 10,  # batches
        "COUNT_ITER": "train_x",  # train_x, train_u or smaller_one
    },
    "TEST": {
        "EVALUATOR": "Classification",
        "PER_CLASS_RESULT": False,
        "COMPUTE_CMAT": False,  # confusion matrix to OUTPUT_DIR/cmat.pt
        "NO_TEST": False,
        "SPLIT": "test",  # or val, for the final evaluation
        "FINAL_MODEL": "last_step",  # or best_val
    },
}
"""Nested tables; ``get_cfg_default`` turns a deep copy into a config tree."""
