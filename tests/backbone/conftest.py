"""Towers the tests of this folder share."""

import importlib
from pathlib import Path

import pytest
import torch

from npt_plugin.backbone.loading import load_clip
from npt_plugin.backbone.openai import clip_module


@pytest.fixture(scope="session")
def resnet_clip_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a random CLIP with a ``ModifiedResNet``: 32 px, one block a stage, D = 48."""
    model_class = importlib.import_module(f"{clip_module().__name__}.model").CLIP
    torch.manual_seed(0)
    model = model_class(48, 32, (1, 1, 1, 1), 8, None, 77, 49408, 64, 1, 2)
    path = tmp_path_factory.mktemp("weights") / "resnet_clip.pt"
    torch.save(model.state_dict(), path)
    return path


@pytest.fixture
def resnet_clip(resnet_clip_file: Path) -> torch.nn.Module:
    """That CLIP in fp32, as trainers get it."""
    return load_clip("", str(resnet_clip_file)).float()
