"""``config.json`` of a Hugging Face CLIP or SigLIP: all that the tensors do not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from npt_plugin.errors import UserError, excerpt

_CLIP: dict[str, Any] = {
    "hidden_act": "quick_gelu",
    "layer_norm_eps": 1e-5,
    "num_hidden_layers": 12,
}
_SIGLIP = {**_CLIP, "hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-6}
_NARROW = {"hidden_size": 512, "num_attention_heads": 8, "intermediate_size": 2048}
_BASE = {"hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072}
_ENDS = {"vocab_size": 49408, "max_position_embeddings": 77, "eos_token_id": 49407}
_DEFAULTS: dict[str, dict[str, dict[str, Any]]] = {
    "clip": {
        "text": {**_CLIP, **_NARROW, **_ENDS},
        "vision": {**_CLIP, **_BASE, "image_size": 224, "patch_size": 32},
    },
    "siglip": {
        "text": {**_SIGLIP, **_BASE, "vocab_size": 32000, "max_position_embeddings": 64},
        "vision": {
            **_SIGLIP,
            **_BASE,
            "image_size": 224,
            "patch_size": 16,
            "vision_use_head": True,
        },
    },
}
"""What a file leaves out because it is the library's default: CLIP ViT-B/32's, SigLIP base's."""

MODEL_TYPES = tuple(_DEFAULTS)
"""``model_type`` of ``CLIPModel``, and of ``SiglipModel`` (SigLIP 2 of a fixed size too)."""


class Activation(NamedTuple):
    """What the libraries call an activation: open_clip by two words, timm by a name."""

    quick: bool
    kwargs: dict[str, str] | None
    timm: str


ACTIVATIONS = {
    "quick_gelu": Activation(True, None, "quick_gelu"),
    "gelu": Activation(False, None, "gelu"),
    "gelu_pytorch_tanh": Activation(False, {"approximate": "tanh"}, "gelu_tanh"),
}
"""``hidden_act`` to the others' words for it."""

_NUMBERS = (
    *("hidden_size", "num_attention_heads", "intermediate_size", "num_hidden_layers"),
    *("image_size", "patch_size", "vocab_size", "max_position_embeddings", "eos_token_id"),
)


@dataclass(frozen=True)
class HuggingFaceConfig:
    """One checked config.

    Attributes:
        kind: A member of ``MODEL_TYPES``.
        text, vision: Values of each tower under the library's names, defaults filled in.
        dim: Width of the space both towers end in.
    """

    kind: str
    text: Mapping[str, Any]
    vision: Mapping[str, Any]
    dim: int


def read_config(held: Mapping[str, Any], source: str) -> HuggingFaceConfig:
    """Check what a config.json holds.

    Args:
        held: The JSON object.
        source: Where it came from, for messages.

    Raises:
        UserError: If it describes another architecture, or a form that is not run here.
    """
    kind = held.get("model_type")
    if kind not in _DEFAULTS:
        raise UserError(
            f"{source} describes a model of type {kind!r}; of Hugging Face's models "
            f"{' and '.join(MODEL_TYPES)} are read."
        )
    text, vision = (_tower(held, kind, name, source) for name in ("text", "vision"))
    if kind == "siglip" and not vision["vision_use_head"]:
        raise UserError(f"{source} describes a SigLIP without a pooling head; it has no feature.")
    if kind == "siglip":
        dim = text.get("projection_size") or text["hidden_size"]
    else:
        dim = held.get("projection_dim", 512)
    if type(dim) is not int or dim < 1:
        raise UserError(f"{source} says a projection to {excerpt(dim)} dimensions.")
    return HuggingFaceConfig(kind, text, vision, dim)


def _tower(held: Mapping[str, Any], kind: str, name: str, source: str) -> dict[str, Any]:
    """One tower's values; files of old versions hold them as ``*_config_dict``, which counts."""
    given = held.get(f"{name}_config_dict") or held.get(f"{name}_config") or {}
    if not isinstance(given, dict):
        raise UserError(f"{source}: {name}_config is {excerpt(given)}, not an object.")
    values = {**_DEFAULTS[kind][name], **given}
    for key in _NUMBERS:
        if key in values and (type(values[key]) is not int or values[key] < 1):
            raise UserError(f"{source}: {key} of {name}_config is {excerpt(values[key])}.")
    if not isinstance(values["layer_norm_eps"], float):
        eps = excerpt(values["layer_norm_eps"])
        raise UserError(f"{source}: layer_norm_eps of {name}_config is {eps}.")
    if values["hidden_act"] not in ACTIVATIONS:
        raise UserError(
            f"{source}: hidden_act of {name}_config is {excerpt(values['hidden_act'])}; "
            f"{', '.join(ACTIVATIONS)} are run."
        )
    width, heads = values["hidden_size"], values["num_attention_heads"]
    if width % heads:
        raise UserError(
            f"{source}: {heads} heads of {name}_config do not divide its width {width}."
        )
    return values
