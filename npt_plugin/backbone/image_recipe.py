"""How an image tower is built again by its own library, as the program of an export does it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from torch import nn

_NO_TEXT = {"context_length": 1, "vocab_size": 1, "width": 64, "heads": 1, "layers": 1}


def open_clip_recipe(config: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of ``open_clip.CLIP`` whose ``visual`` is a model's image tower.

    Args:
        config: open_clip's config of the model. Its text tower gives way to the smallest there is.
    """
    vision = {**config["vision_cfg"], "output_tokens": False}
    if "timm_model_name" in vision:
        vision["timm_model_pretrained"] = False
    quick = config.get("quick_gelu", False)
    arguments = {"embed_dim": config["embed_dim"], "vision_cfg": vision, "quick_gelu": quick}
    return {"open_clip": {**arguments, "text_cfg": _NO_TEXT}}


def timm_recipe(eps: float, **arguments: Any) -> dict[str, Any]:
    """Arguments of timm's ``VisionTransformer``, and the epsilon of its LayerNorms."""
    return {"timm": arguments, "eps": eps}


def build_timm(recipe: Mapping[str, Any]) -> nn.Module:
    """The tower of a recipe of timm's."""
    from timm.models.vision_transformer import VisionTransformer

    norm = partial(nn.LayerNorm, eps=recipe["eps"])
    tower: nn.Module = VisionTransformer(**recipe["timm"], norm_layer=norm)
    return tower
