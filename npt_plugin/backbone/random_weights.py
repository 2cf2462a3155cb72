"""CLIP of a real shape with random weights: what a run costs does not depend on their values."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

from npt_plugin.backbone.openai import part_of_clip

_TEXT = (77, 49408)  # positions, vocabulary

SHAPES: dict[str, tuple[object, ...]] = {
    "RN50": (1024, 224, (3, 4, 6, 3), 64, None, *_TEXT, 512, 8, 12),
    "RN101": (512, 224, (3, 4, 23, 3), 64, None, *_TEXT, 512, 8, 12),
    "RN50x4": (640, 288, (4, 6, 10, 6), 80, None, *_TEXT, 640, 10, 12),
    "RN50x16": (768, 384, (6, 8, 18, 8), 96, None, *_TEXT, 768, 12, 12),
    "RN50x64": (1024, 448, (3, 15, 36, 10), 128, None, *_TEXT, 1024, 16, 12),
    "ViT-B/32": (512, 224, 12, 768, 32, *_TEXT, 512, 8, 12),
    "ViT-B/16": (512, 224, 12, 768, 16, *_TEXT, 512, 8, 12),
    "ViT-L/14": (768, 224, 24, 1024, 14, *_TEXT, 768, 12, 12),
    "ViT-L/14@336px": (768, 336, 24, 1024, 14, *_TEXT, 768, 12, 12),
}
"""Name to the arguments of ``clip.model.CLIP``: D, image size, vision layers, width, patch size,
text positions, vocabulary, width, heads, layers. Source: the published state dicts."""


def write_random_clip(name: str, path: Path) -> None:
    """Write a CLIP of that name's shape with random weights in fp16, as OpenAI's are.

    Args:
        name: A key of ``SHAPES``.
        path: Of the file, ``*.safetensors``.
    """
    build = part_of_clip("model").CLIP
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        state = build(*SHAPES[name]).state_dict()
    halves = {key: value.half().contiguous() for key, value in state.items()}
    save_file(halves, str(path))
