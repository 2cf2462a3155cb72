"""Models without a trainer around them, and second stages on runs that are trained once."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
import torch

NAMES = ["red_kite", "blue kite of the sea", "boat"]


@pytest.fixture
def prompted(make_cfg: Callable, small_clip: torch.nn.Module) -> Callable:
    """``prompted("CoOp", "KEY", "value")``: the model of a trainer, nothing loaded or trained."""
    from npt_plugin.trainers import BASE_TRAINERS

    def make(trainer: str, *options: str, names: list[str] = NAMES):
        torch.manual_seed(3)
        cfg = make_cfg(trainer, *options)
        return BASE_TRAINERS[trainer].model_class(cfg, names, small_clip)

    return make


@pytest.fixture(scope="session")
def resnet_clip() -> torch.nn.Module:
    """A random CLIP whose image side is a ResNet for images of 32 pixels."""
    from npt_plugin.backbone.openai import OpenAIClip, clip_module

    model = sys.modules[f"{clip_module().__name__}.model"]
    torch.manual_seed(0)
    return OpenAIClip(model.CLIP(32, 32, (1, 1, 1, 1), 2, None, 77, 49408, 64, 1, 2).eval())


@pytest.fixture
def second(make_trainer: Callable, first_stages: Callable) -> Callable:
    """``second("lws", ("CoOp",), "KEY", "value")``: a second stage on a run of CoOp."""

    def make(method: str, first: tuple[str, ...] = ("CoOp",), *options: str, **more):
        node = ("TRAINER.TWO_STAGE.METHOD", method)
        node += ("TRAINER.TWO_STAGE.RUN", str(first_stages(*first)))
        return make_trainer("TwoStage", "DATASET.IMBALANCE.RATIO", "0.25", *node, *options, **more)

    return make
