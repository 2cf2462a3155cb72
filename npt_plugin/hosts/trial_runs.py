"""The runs of a miniature proof: untouched, with weights 0, with the terms, by hand, evaluated."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from yacs.config import CfgNode

from npt_plugin.datasets.registry import register_base_datasets
from npt_plugin.engine.framework import DATASET_REGISTRY, TRAINER_REGISTRY
from npt_plugin.hosts.double import ROUNDING
from npt_plugin.hosts.gradient import Compared, Comparison, NotByHand, Way, proving
from npt_plugin.hosts.kept_config import put_back, value_of
from npt_plugin.hosts.signs import backward_passes
from npt_plugin.system.random_state import set_random_seed

DATA, EPOCHS = "OxfordPets", 2
_OFF = {"TRAINER.NPT.LAMBDA_LC": 0.0, "TRAINER.NPT.LAMBDA_MI": 0.0}


class Runs:
    """Short runs of one trainer from one config.

    Args:
        cfg: What the project's script built its trainer with.
        build: Dassl's ``build_trainer``.
        name: The project's name for the trainer.
        place: Folder with ``data``.

    Attributes:
        size: Side of the CLIP's images.
        folder: Below which runs write; a new one for each CLIP, for Dassl resumes what it finds.
        plain: What the untouched trainer learned.
        seen: What was found to hold, in words.
    """

    def __init__(self, cfg: CfgNode, build: Callable[[Any], Any], name: str, place: Path) -> None:
        self.cfg, self.build, self.name, self.place = cfg, build, name, place
        self.size, self.folder = 0, place
        self.plain: dict[str, Tensor] = {}
        self.seen: list[str] = []
        if DATA not in DATASET_REGISTRY.registered_names():  # the project reads others
            register_base_datasets()

    unanswerable = (NotByHand,)
    """What a question raises that has no answer here."""

    @property
    def questions(self) -> list[tuple[str, Callable[[], str]]]:
        """What is to hold, in order: when it is tried, and what gives "" or what is wrong."""
        return [
            ("with weights of 0", self.weights_of_0),
            ("while it trained with the terms", self.terms),
            ("while its gradient was compared with that by hand", self.gradient),
            ("while new classes were evaluated", self.new_classes),
        ]

    def config(self, out: str, npt: bool = False, **keys: Any) -> CfgNode:
        """The project's config made small.

        Args:
            out: Folder of the run, below ``folder``.
            npt: Whether ``NPT_`` is put on the trainer.
            keys: More values, with ``__`` for dots.
        """
        cfg = self.cfg.clone()
        cfg.defrost()
        put_back(cfg)
        _in_fp32(cfg)
        batch = value_of(cfg, "DATALOADER.TRAIN_X.BATCH_SIZE") or 4
        wanted = {
            "TRAINER.NAME": f"NPT_{self.name}" if npt else self.name,
            "TRAINER.NPT.BASE": "host",
            "DATASET.NAME": DATA,
            "DATASET.ROOT": str(self.place / "data"),
            "DATASET.NUM_SHOTS": 4,
            "DATASET.SUBSAMPLE_CLASSES": "base",
            "DATALOADER.NUM_WORKERS": 0,
            "DATALOADER.TRAIN_X.BATCH_SIZE": min(
                batch, 2
            ),  # as many as classes could be rows counted
            "DATALOADER.TEST.BATCH_SIZE": 8,
            "INPUT.SIZE": (self.size, self.size),
            "MODEL.INIT_WEIGHTS": "",
            "OPTIM.MAX_EPOCH": EPOCHS,
            "OUTPUT_DIR": str(self.folder / out),
            "RESUME": "",
            "SEED": 1,
            "TEST.NO_TEST": True,
            "TEST.FINAL_MODEL": "last_step",
            "TRAIN.CHECKPOINT_FREQ": 0,
            "TRAIN.PRINT_FREQ": 1,
            "USE_CUDA": False,
            **{key.replace("__", "."): value for key, value in keys.items()},
        }
        if not value_of(cfg, "MODEL.BACKBONE.NAME"):
            wanted["MODEL.BACKBONE.NAME"] = "ViT-B/16"
        for key, value in wanted.items():
            node, _, last = key.rpartition(".")
            place = value_of(cfg, node) if node else cfg
            if place is not None:
                place[last] = value
        cfg.freeze()
        return cfg

    def trained(self, out: str, npt: bool = False, **keys: Any) -> dict[str, Tensor]:
        """What a whole run learned: the state of all its models."""
        set_random_seed(1)
        trainer = self.build(self.config(out, npt, **keys))
        with _no_sudden_end():
            trainer.train()
        models = trainer._models
        states = {name: models[name].state_dict() for name in models}
        return {f"{n}.{k}": v.clone() for n, state in states.items() for k, v in state.items()}

    def weights_of_0(self) -> str:
        """The run is the untouched trainer's bit for bit."""
        off = self.trained("off", True, **_OFF)
        odd = _first_difference(self.plain, off)
        if odd:
            return f"with weights of 0 its run is another: {odd} differs"
        self.seen.append("weights of 0 are the trainer bit for bit")
        return ""

    def terms(self) -> str:
        """The terms change what is learned."""
        if not _first_difference(self.plain, self.trained("on", True)):
            return "with the terms it learned what it learned without"
        return ""

    def gradient(self) -> str:
        """The gradient of one step is that of loss and terms added by hand, in float64."""
        found: list[Comparison] = []
        with proving(found.extend, self._ways()), suppress(Compared):
            self.trained("proof", True)
        if not found:
            return "it took fewer than three steps, or no backward pass that terms could join"
        best = min(found, key=lambda comparison: comparison.worst)
        values = [abs(a - b) <= ROUNDING * abs(b) for a, b in best.terms.values()]
        if not best.worst <= ROUNDING or not all(values):
            return (
                "its gradient is not that of loss and terms added by hand: they part by "
                f"{best.worst:.1g} of the largest entry"
            )
        self.seen.append(f"gradient as added by hand to {max(best.worst, 1e-16):.0e}")
        return ""

    def _ways(self) -> list[Way]:
        """All that a project may mean by its loss and its labels."""
        trainer: Any = TRAINER_REGISTRY.get(self.name)
        parsing = [
            name
            for name in dir(trainer)
            if name.startswith("parse") and "train" in name and name != "parse_batch_train"
        ]
        passes = range(max(1, backward_passes(trainer)))
        return [Way(number, labels) for labels in ("", *parsing) for number in passes]

    def new_classes(self) -> str:
        """What it learned is loaded and evaluated on the other classes."""
        set_random_seed(1)
        trainer = self.build(self.config("new", True, DATASET__SUBSAMPLE_CLASSES="new"))
        trainer.load_model(str(self.folder / "on"), epoch=EPOCHS)
        with _no_sudden_end():
            accuracy = trainer.test()
            if isinstance(accuracy, float) and not math.isfinite(accuracy):
                return f"on new classes its accuracy is {accuracy}"
        self.seen.append("new classes evaluated")
        return ""


def _first_difference(one: dict[str, Tensor], other: dict[str, Tensor]) -> str:
    """Name of a tensor that two states do not share, "" if they are equal bit for bit."""
    for name in sorted({*one, *other}):
        if name not in one or name not in other or not torch.equal(one[name], other[name]):
            return name
    return ""


def _in_fp32(node: CfgNode) -> None:
    for key, value in node.items():
        if isinstance(value, CfgNode):
            _in_fp32(value)
        elif key == "PREC":
            node[key] = "fp32"


class _Left(BaseException):
    """The project ended the process."""


@contextmanager
def _no_sudden_end() -> Iterator[None]:
    """Go on where a project's run ends by ``sys.exit`` or ``os._exit``."""
    leave = os._exit

    def stay(code: int) -> None:
        raise _Left

    os._exit = stay  # type: ignore[assignment]  # until the end of the block
    try:
        yield
    except (_Left, SystemExit):
        pass
    finally:
        os._exit = leave
