"""Dassl's own keys of which we know more than their default."""

from __future__ import annotations

from npt_plugin.config.key import Key

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
