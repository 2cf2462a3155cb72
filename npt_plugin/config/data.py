"""Keys of the data: which images, how unbalanced, and how they are loaded."""

from __future__ import annotations

from npt_plugin.config.key import Key, node

DATASET = node(
    "DATASET",
    Key("SUBSAMPLE_CLASSES", "all", "all, base (first half of the labels) or new (second half)"),
    Key("ALLOW_EMPTY_CLASSES", False, "True: classes without training images are for testing"),
    Key("CLASSNAMES_FILE", "", "ImageFolder, List, *LT: readable class names"),
    Key("SPLIT_SEED", 1, "ImageFolder, List without test part: seed of the split, drawn once"),
    Key("TRAIN_LIST", "", 'List: CSV, "<path> <label>" or split_zhou JSON file under ROOT'),
    Key("VAL_LIST", "", "List: the same for validation; empty: none"),
    Key("TEST_LIST", "", "List: the same for testing; empty: a part is divided off"),
    Key("IMBALANCE.RATIO", 1.0, "tau = n_min / n_max in (0, 1]; 1.0 changes nothing"),
    Key("IMBALANCE.PROFILE", "exp", "exp, step, or exp_down, as Candle rounds"),
    Key("IMBALANCE.ORDER", "index", "which class is head: index, random, frequency or shots"),
    Key("IMBALANCE.MANY_ABOVE", -1, "many-shot classes: n_k > this; -1: by n_max"),
    Key("IMBALANCE.FEW_BELOW", -1, "few-shot classes: n_k < this; -1: by n_max"),
)


LOADER = (
    Key("INPUT.TEST_RESIZE", 0, "test images' shorter side before cropping; 0: SIZE", least=0),
    Key("INPUT.IMAGE_CACHE", "", "memory: keep decoded training images; empty: off", numbers=False),
    Key("DATALOADER.DETERMINISTIC_AUG", False, "augment by (seed, epoch, image), not by RNG state"),
)
