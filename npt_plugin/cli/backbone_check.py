"""One image and one text through a backbone, and what came out."""

from __future__ import annotations

import torch
from torch import Tensor

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.loading import load_clip
from npt_plugin.errors import UserError

_TEXT = "a photo of a cat"


@torch.no_grad()
def check_backbone(name: str) -> dict[str, str]:
    """Load a backbone in fp32 and try it.

    Args:
        name: ``MODEL.BACKBONE.NAME``, or a path.

    Returns:
        A line about each part, by what it is about.

    Raises:
        UserError: If something is missing, or a feature is no finite number; one sentence.
    """
    clip = load_clip(name).float()
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(1, 3, *clip.image_size, generator=generator)
    image, tower = clip.image_tower()(images), clip.image_tower()
    tokens = clip.tokenizer([_TEXT])
    cut, ends = clip.cut(tokens)
    text = clip.text_tower()(clip.embed(cut), ends)
    for what, feature in (("image", image), ("text", text)):
        if not bool(feature.isfinite().all()) or not bool(feature.norm()):
            raise UserError(f"The {what} feature of {name} is not finite: its weights are damaged.")
    size = f"{clip.image_size[0]} x {clip.image_size[1]} px"
    return {
        "model": f"{sum(p.numel() for p in clip.parameters()):,} parameters, {clip.about or name}",
        "images": f"{size}, mean {_short(clip.mean)}, std {_short(clip.std)}",
        "image": f"one of noise {_spoken(image)}",
        "text": f"{_TEXT!r}, {int(ends[0]) + 1} of {tokens.shape[1]} tokens {_spoken(text)}",
        "logit": _logit(clip, image, text),
        "text tower": "causal: cut, start shared" if clip.causal else "whole length",
        "prompts": _prompts(clip),
        "tokens": f"not read, as {tower.no_class_token}" if tower.no_class_token else "read",
    }


def _spoken(feature: Tensor) -> str:
    return f"-> {tuple(feature.shape)}, norm {float(feature.norm()):.4g}, finite"


def _short(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.3g}" for value in values)


def _logit(clip: Backbone, image: Tensor, text: Tensor) -> str:
    cosine = float(torch.nn.functional.cosine_similarity(image, text))
    bias = "none" if clip.logit_bias is None else f"{float(clip.logit_bias):.4g}"
    return f"scale {float(clip.logit_scale.exp()):.4g}, bias {bias}, cosine {cosine:.4f}"


def _prompts(clip: Backbone) -> str:
    obstacle = clip.image_tower().obstacle
    return f"in the text alone, as {obstacle}" if obstacle else "in the text and in the image"
