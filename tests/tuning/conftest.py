"""The random CLIP's towers and their tuned copies."""

import copy
from collections.abc import Callable

import pytest
import torch

from npt_plugin.backbone.interface import Backbone
from npt_plugin.tuning.methods import METHODS
from npt_plugin.tuning.places import Places, image_places, text_places


@pytest.fixture
def clip(small_clip: Backbone) -> Backbone:
    """In the default precision, which is double where a test is about numbers."""
    return small_clip.to(torch.get_default_dtype())


@pytest.fixture
def places(clip: Backbone) -> Callable[[str], Places]:
    """``places("image")``: a tower of the random CLIP, frozen."""

    def make(tower: str) -> Places:
        if tower == "image":
            return image_places(clip.image_tower())
        return text_places(clip.text_tower(), clip.token_table)

    return make


@pytest.fixture
def node(make_cfg: Callable) -> Callable:
    """``node("KEY", "value")``: TRAINER.FINE_TUNE."""

    def make(*options: str):
        names = [f"TRAINER.FINE_TUNE.{o}" if i % 2 == 0 else o for i, o in enumerate(options)]
        return make_cfg("FineTune", *names).TRAINER.FINE_TUNE

    return make


@pytest.fixture
def tuned_clip(clip: Backbone, node: Callable) -> Callable:
    """``tuned_clip("lora")``: a copy of which both towers learn, away from their start."""

    def make(method: str, *options: str, rank: int = 3) -> Backbone:
        model = copy.deepcopy(clip)
        towers = [
            image_places(model.image_tower()),
            text_places(model.text_tower(), model.token_table),
        ]
        torch.manual_seed(7)
        for tower in towers:
            METHODS[method].apply(tower, node(*options), rank)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.add_(0.1 * torch.randn_like(parameter))
        return model

    return make
