"""A trainer in one of several processes: the whole batch's outputs, and one run in all of them."""

from __future__ import annotations

import os
import random
import socket
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from npt_plugin.backbone.outputs import PromptOutputs
from npt_plugin.engine.distributed import copy_from_first, gathered, largest, require_same
from npt_plugin.errors import UserError
from npt_plugin.runs.config_tree import config_hash
from npt_plugin.system import ranks
from npt_plugin.system.random_state import rng_state, set_random_seed


def see_whole_batch(
    trainer: Any, batch: dict[str, Tensor], text: Tensor | None = None
) -> PromptOutputs:
    """Outputs of the whole batch, of which this process sees its rows.

    Everything behind the image features (text, logits, dropout, noise) is of the whole batch in
    every process. Where the text depends on the image, its tower is the work, and is shared too.

    Args:
        trainer: A ``PromptTrainer``.
        batch: ``img`` or ``features`` of this process's rows, ``label`` (B,) of all.
        text: As in the trainer's ``encode``.
    """
    if ranks.alone():
        return trainer.encode(batch, text)
    total = len(batch["label"])
    features = batch.get("features")
    if features is None:
        features = trainer.model.image_features(batch["img"])
    if not trainer.model.text_depends_on_image:
        return trainer.encode({"features": gathered(features, total)}, text)
    own = trainer.encode({"features": features})
    parts = (own.logits, own.image_features, own.text_features)
    return PromptOutputs(*(gathered(part, total) for part in parts))


def seed_alike(cfg: Any) -> None:
    """Give the processes of an unseeded run one seed: they draw the same images, batches and noise.

    It is Python's to draw: PyTorch's generator starts with the same number in every process.
    """
    if cfg.SEED < 0 and not ranks.alone():
        set_random_seed(largest(random.getrandbits(31) if ranks.writes() else 0))


def agree(trainer: Any) -> None:
    """Before the first step: all processes train the same thing from the same start.

    Args:
        trainer: A ``PromptTrainer`` that has resumed what there was to resume.

    Raises:
        UserError: If config, training images or the epoch to start with differ.
    """
    if ranks.alone():
        return
    require_same(
        config_hash(trainer.cfg),
        "has another config than process 0: start all of them by the same command.",
    )
    items = trainer.dm.dataset.train_x
    images = "\n".join(f"{Path(item.impath).name} {item.label}" for item in items)
    require_same(
        images, "has other training images than process 0: give all machines the same data."
    )
    require_same(
        str(trainer.start_epoch),
        "has found another checkpoint than process 0: give an --output-dir that all machines "
        "share.",
    )
    copy_from_first(trainer.model.learned().values())
    same_draws()


def same_draws() -> None:
    """Refuse to go on where processes have drawn different random numbers.

    Raises:
        UserError: Then their batches would no longer be parts of one.
    """
    if not ranks.alone():
        state = rng_state()
        drawn = [state["python"], *state["numpy"][2:], state["numpy"][1], state["torch"]]
        text = " ".join(str(part.tolist() if torch.is_tensor(part) else part) for part in drawn)
        require_same(
            text,
            "has drawn other random numbers than process 0, so their batches would differ: train "
            "in one process, or use transforms that draw equally often in each.",
        )


def check_devices(cfg: Any) -> None:
    """Each process needs a GPU of its own; a run of one process says which it leaves idle.

    Raises:
        UserError: If two processes would share a GPU.
    """
    if not (torch.cuda.is_available() and cfg.USE_CUDA):
        return
    visible = torch.cuda.device_count()
    if ranks.alone():
        if visible > 1:
            print(
                f"{visible} GPUs are visible, this run uses one: torchrun --nproc-per-node "
                f"{visible} trains on all, npt sweep gives each run its own"
            )
        return
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if visible > 1 and here > visible:
        raise UserError(
            f"{here} processes on {socket.gethostname()} see {visible} GPUs: give torchrun "
            f"--nproc-per-node {visible}, or set USE_CUDA False."
        )
