"""A CLIP or SigLIP in Hugging Face's layout as open_clip's modules, which run here.

The numbers are the same; ``transformers`` gives them other names and splits what open_clip joins.
One implementation of each tower runs, and its prompts, cuts and precision rules hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from npt_plugin.backbone.hugging_face_config import ACTIVATIONS, HuggingFaceConfig
from npt_plugin.backbone.image_recipe import build_timm, open_clip_recipe, timm_recipe
from npt_plugin.errors import UserError

EARLY_EOS = 2
"""``eos_token_id`` that configs had before transformers 4.31; it means the highest id."""

_LAYER = re.compile(r"(text|vision)_model\.encoder\.layers\.(\d+)\.(.+)")
_BLOCK = {
    "layer_norm1": ("ln_1", "norm1"),
    "layer_norm2": ("ln_2", "norm2"),
    "self_attn.out_proj": ("attn.out_proj", "attn.proj"),
    "mlp.fc1": ("mlp.c_fc", "mlp.fc1"),
    "mlp.fc2": ("mlp.c_proj", "mlp.fc2"),
}
"""Parts of a block, in open_clip's own transformers and in timm's."""

_NAMES = {
    "clip": {
        "vision_model.embeddings.class_embedding": "visual.class_embedding",
        "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
        "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
        "vision_model.pre_layrnorm": "visual.ln_pre",
        "vision_model.post_layernorm": "visual.ln_post",
        "text_model.embeddings.token_embedding": "token_embedding",
        "text_model.embeddings.position_embedding.weight": "positional_embedding",
        "text_model.final_layer_norm": "ln_final",
    },
    "siglip": {
        "vision_model.embeddings.patch_embedding": "visual.trunk.patch_embed.proj",
        "vision_model.post_layernorm": "visual.trunk.norm",
        "vision_model.head.probe": "visual.trunk.attn_pool.latent",
        "vision_model.head.attention.out_proj": "visual.trunk.attn_pool.proj",
        "vision_model.head.layernorm": "visual.trunk.attn_pool.norm",
        "vision_model.head.mlp": "visual.trunk.attn_pool.mlp",
        "text_model.embeddings.token_embedding": "text.token_embedding",
        "text_model.embeddings.position_embedding.weight": "text.positional_embedding",
        "text_model.final_layer_norm": "text.ln_final",
        "text_model.head": "text.text_projection",
    },
}
"""Names that only change, in full or up to ``.weight`` and ``.bias`` and what stands below."""


def build_model(
    config: HuggingFaceConfig, tensors: Mapping[str, Tensor], source: str
) -> tuple[nn.Module, dict[str, Any]]:
    """open_clip's ``CLIP`` or ``CustomTextCLIP`` that computes what transformers' model does.

    Args:
        config: The checked config.
        tensors: Under transformers' names.
        source: Where they came from, for messages.

    Returns:
        The model in fp32, or in float64 where a tensor is, and the recipe of its image tower.

    Raises:
        UserError: If tensors are missing, left over or of a shape that the config does not say.
    """
    model, recipe = _clip(config, source) if config.kind == "clip" else _siglip(config)
    if any(t.dtype == torch.float64 for t in tensors.values()):
        model = model.double()
    try:
        model.load_state_dict(open_clip_names(config.kind, tensors))
    except (RuntimeError, KeyError) as error:  # RuntimeError: its first lines name the tensors
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"The tensors of {source} are not those of its config.json ({reason}): take both from "
            "one model."
        ) from None
    return model, recipe


def open_clip_names(kind: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under open_clip's names, queries, keys and values joined.

    Args:
        kind: A member of ``MODEL_TYPES``.
        tensors: Under transformers' names.

    Raises:
        KeyError: If a part of what is joined is missing; the message names it.
    """
    found: dict[str, Tensor] = {}
    joint: dict[str, str] = {}  # new name to the old one, with {} in the place of q, k and v
    for name, tensor in tensors.items():
        if name.endswith(".position_ids"):  # a buffer that old versions saved
            continue
        layer = _LAYER.fullmatch(name)
        if layer:
            _place_of_layer(kind, layer, tensor, found, joint)
        else:
            found[_renamed(kind, name)] = tensor
    for new, old in joint.items():
        found[new] = torch.cat([tensors[old.format(letter)] for letter in "qkv"])
    return _finish(kind, found)


def _place_of_layer(
    kind: str, layer: re.Match[str], tensor: Tensor, found: dict[str, Tensor], joint: dict[str, str]
) -> None:
    tower, number, rest = layer.groups()
    timm = kind == "siglip" and tower == "vision"
    prefix = {"vision": "visual." + ("trunk." if timm else ""), "text": ""}[tower]
    prefix = "text." if kind == "siglip" and tower == "text" else prefix
    prefix += f"blocks.{number}." if timm else f"transformer.resblocks.{number}."
    part, _, last = rest.rpartition(".")
    if part in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"):
        new = f"attn.qkv.{last}" if timm else f"attn.in_proj_{last}"
        old = f"{tower}_model.encoder.layers.{number}.self_attn.{{}}_proj.{last}"
        joint[prefix + new] = old
        return
    own, of_timm = _BLOCK.get(part, (part, part))
    found[f"{prefix}{of_timm if timm else own}.{last}"] = tensor


def _renamed(kind: str, name: str) -> str:
    for old, new in _NAMES[kind].items():
        if name == old or name.startswith(f"{old}."):
            return new + name.removeprefix(old)
    return name


def _finish(kind: str, found: dict[str, Tensor]) -> dict[str, Tensor]:
    """What changes its shape on the way: transposed projections, the pooling head's joint map."""
    if kind == "clip":
        for old, new in (
            ("visual_projection.weight", "visual.proj"),
            ("text_projection.weight", "text_projection"),
        ):
            found[new] = found.pop(old).t()
        return found
    found["visual.trunk.pos_embed"] = found.pop(
        "vision_model.embeddings.position_embedding.weight"
    ).unsqueeze(0)
    for last in ("weight", "bias"):
        whole = found.pop(f"vision_model.head.attention.in_proj_{last}")  # (3 W, W) or (3 W,)
        width = len(whole) // 3
        found[f"visual.trunk.attn_pool.q.{last}"] = whole[:width]
        found[f"visual.trunk.attn_pool.kv.{last}"] = whole[width:]
    return found


def _ratio(tower: Mapping[str, Any]) -> float:
    """Of the MLP's width; half a unit is added, as the library rounds width times ratio down."""
    return (tower["intermediate_size"] + 0.5) / tower["hidden_size"]


def _text(config: HuggingFaceConfig) -> dict[str, Any]:
    tower = config.text
    return {
        "context_length": tower["max_position_embeddings"],
        "vocab_size": tower["vocab_size"],
        "width": tower["hidden_size"],
        "heads": tower["num_attention_heads"],
        "layers": tower["num_hidden_layers"],
        "mlp_ratio": _ratio(tower),
        "norm_kwargs": {"eps": tower["layer_norm_eps"]},
        "act_kwargs": ACTIVATIONS[tower["hidden_act"]].kwargs,
    }


def _clip(config: HuggingFaceConfig, source: str) -> tuple[nn.Module, dict[str, Any]]:
    from open_clip.model import CLIP

    vision, text = config.vision, _text(config)
    quick = {ACTIVATIONS[tower["hidden_act"]].quick for tower in (config.text, vision)}
    if len(quick) > 1:
        raise UserError(
            f"{source}: one tower has QuickGELU and the other has not; such a CLIP is not run."
        )
    eos = config.text["eos_token_id"]
    if eos != EARLY_EOS:
        text |= {"pool_type": "eos", "eos_id": eos}
    image = {
        "image_size": vision["image_size"],
        "patch_size": vision["patch_size"],
        "width": vision["hidden_size"],
        "head_width": vision["hidden_size"] // vision["num_attention_heads"],
        "layers": vision["num_hidden_layers"],
        "mlp_ratio": _ratio(vision),
        "norm_kwargs": {"eps": vision["layer_norm_eps"]},
        "act_kwargs": ACTIVATIONS[vision["hidden_act"]].kwargs,
    }
    arguments = {"embed_dim": config.dim, "vision_cfg": image, "quick_gelu": quick.pop()}
    return CLIP(**arguments, text_cfg=text), open_clip_recipe(arguments)


def _siglip(config: HuggingFaceConfig) -> tuple[nn.Module, dict[str, Any]]:
    from open_clip.model import CustomTextCLIP

    text = _text(config)
    text |= {"no_causal_mask": True, "proj_bias": True, "pool_type": "last"}
    stand_in = {"layers": 1, "width": 64, "patch_size": 1, "image_size": 1}
    quick = ACTIVATIONS[config.text["hidden_act"]].quick
    model = CustomTextCLIP(config.dim, stand_in, text, quick_gelu=quick, init_logit_bias=0.0)
    model.logit_scale = nn.Parameter(model.logit_scale.detach().reshape(1))
    model.logit_bias = nn.Parameter(model.logit_bias.detach().reshape(1))
    vision = config.vision
    recipe = timm_recipe(
        vision["layer_norm_eps"],
        img_size=vision["image_size"],
        patch_size=vision["patch_size"],
        num_classes=0,
        global_pool="map",
        embed_dim=vision["hidden_size"],
        depth=vision["num_hidden_layers"],
        num_heads=vision["num_attention_heads"],
        mlp_ratio=_ratio(vision),
        class_token=False,
        act_layer=ACTIVATIONS[vision["hidden_act"]].timm,
    )
    model.visual = _attention_pooled(recipe, vision["image_size"])
    return model, recipe


def _attention_pooled(recipe: Mapping[str, Any], size: int) -> nn.Module:
    """timm's ViT without class token, pooled by attention, in open_clip's wrapper around it."""
    from open_clip.timm_model import TimmModel

    visual = TimmModel.__new__(TimmModel)  # its own __init__ knows published sizes only
    nn.Module.__init__(visual)
    visual.image_size = (size, size)
    visual.trunk, visual.head = build_timm(recipe), nn.Sequential()
    return visual
