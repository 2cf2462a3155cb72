"""Miniatures of every family: open_clip's own code, its config mechanism, random weights."""

from __future__ import annotations

import copy
import json
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import torch

from npt_plugin.backbone.open_clip_model import OpenClip
from npt_plugin.backbone.open_clip_tokenizer import wrap_tokenizer

_TEXT = {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2}
_WHOLE = {**_TEXT, "no_causal_mask": True}
_HUB = {"hf_tokenizer_name": "hub", "tokenizer_kwargs": {"clean": "canonicalize"}}
_SIGLIP = {
    **_WHOLE,
    "context_length": 16,
    "vocab_size": 600,
    "proj_bias": True,
    "pool_type": "last",
    "norm_kwargs": {"eps": 1e-6},
    **_HUB,
}
_VIT = {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8}
_POOL = {"attentional_pool": True, "attn_pooler_heads": 2, "attn_pooler_queries": 4}
_COCA = {"context_length": 76, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 1}


def _timm(name: str, pool: str, proj: str | None, size: int) -> dict[str, Any]:
    return {
        "timm_model_name": name,
        "timm_model_pretrained": False,
        "timm_pool": pool,
        "timm_proj": proj,
        "image_size": size,
    }


FAMILIES: dict[str, dict[str, Any]] = {
    "vit_quickgelu": {"quick_gelu": True, "vision_cfg": _VIT, "text_cfg": _TEXT},
    "vit_gelu": {"vision_cfg": _VIT, "text_cfg": _TEXT},
    "vit_l14_336": {
        "vision_cfg": {**_VIT, "image_size": 42, "patch_size": 14, "width": 96, "layers": 3},
        "text_cfg": {**_TEXT, "layers": 3},
    },
    "resnet": {
        "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "patch_size": None},
        "text_cfg": _TEXT,
    },
    "clipa": {
        "vision_cfg": {**_VIT, "no_ln_pre": True, "pool_type": "avg", "final_ln_after_pool": True},
        "text_cfg": {**_WHOLE, "context_length": 32, "pool_type": "last"},
    },
    "convnext": {"vision_cfg": _timm("test_convnext", "", "linear", 64), "text_cfg": _TEXT},
    "coca": {
        "custom_text": True,
        "vision_cfg": {**_VIT, **_POOL, "output_tokens": True},
        "text_cfg": {**_TEXT, "context_length": 76, "embed_cls": True, "output_tokens": True},
        "multimodal_cfg": _COCA,
    },
    "eva02": {
        "custom_text": True,
        "vision_cfg": _timm("eva02_tiny_patch14_224", "token", None, 224),
        "text_cfg": _TEXT,
    },
    "mobileclip": {
        "custom_text": True,
        "vision_cfg": _timm("fastvit_t8", "avg", None, 32),
        "text_cfg": _WHOLE,
    },
    "siglip": {
        "custom_text": True,
        "init_logit_bias": -10,
        "vision_cfg": _timm("test_vit", "map", "none", 160),
        "text_cfg": _SIGLIP,
    },
    "siglip2": {
        "custom_text": True,
        "init_logit_bias": -10,
        "vision_cfg": _timm("test_vit", "map", "none", 160),
        "text_cfg": {**_SIGLIP, "act_kwargs": {"approximate": "tanh"}},
    },
}
"""Family to a config of open_clip's, small enough for a test of seconds."""

VITS = ("vit_quickgelu", "vit_gelu", "vit_l14_336", "clipa", "coca", "siglip", "siglip2")
"""Families whose image blocks we run, so that they take deep prompts."""


def family_config(family: str) -> dict[str, Any]:
    """The config with D, which is the trunk's own width where nothing projects."""
    return {"embed_dim": 64, **copy.deepcopy(FAMILIES[family])}


@lru_cache(maxsize=1)
def hub_folder() -> str:
    """A tokenizer of transformers on disk, as a hub would deliver it: words, an end, padding."""
    import tempfile

    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    words = "a photo of the red blue green kite grey tan boat lime fish picture type pet".split()
    pieces = ["<pad>", "</s>", "<unk>", *letters, *words]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    core.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", vocabulary["</s>"])]
    )
    folder = tempfile.mkdtemp()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    fast.save_pretrained(folder)
    return folder


def family_folder(family: str, folder: Path) -> Path:
    """A folder as open_clip writes one: config, weights, and the tokenizer where a hub has it."""
    import shutil

    from safetensors.torch import save_model

    config = family_config(family)
    if "hf_tokenizer_name" in config["text_cfg"]:
        shutil.copytree(hub_folder(), folder, dirs_exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    seen = {"mean": [0.5] * 3, "std": [0.5] * 3} if "siglip" in family else {}
    about = {"model_cfg": config, "preprocess_cfg": seen}
    (folder / "open_clip_config.json").write_text(json.dumps(about))
    save_model(random_model(family), str(folder / "open_clip_model.safetensors"))
    return folder


def family_clip(family: str) -> OpenClip:
    """A miniature behind our interface, frozen, without a file in between."""
    from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

    text = family_config(family)["text_cfg"]
    length = text["context_length"]
    if "hf_tokenizer_name" in text:
        tokenizer = HFTokenizer(hub_folder(), length, **text["tokenizer_kwargs"])
    else:
        tokenizer = SimpleTokenizer(context_length=length)
    return OpenClip(random_model(family), wrap_tokenizer(tokenizer)).requires_grad_(False)


def halved_clip(family: str, dtype: torch.dtype) -> OpenClip:
    """The same weights in half precision as open_clip's own ``create_model`` makes it.

    Its mixed halves (norms in fp32) leave a map of CoCa's in fp32 and stop there, so CoCa's are
    its ``pure`` ones.
    """
    import open_clip

    clip, config = family_clip(family), family_config(family)
    kind = {torch.float16: "fp16", torch.bfloat16: "bf16"}[dtype]
    open_clip.factory._MODEL_CONFIGS["miniature"] = config
    try:
        pure = "pure_" if family == "coca" else ""
        model = open_clip.create_model("miniature", precision=pure + kind)
    finally:
        del open_clip.factory._MODEL_CONFIGS["miniature"]
    model.load_state_dict(clip.model.state_dict())  # rounds each to the dtype it has there
    clip.model = model.eval()
    return clip


def own_features(clip: OpenClip, images: torch.Tensor, tokens: torch.Tensor):
    """Image and text features, not normalised, as open_clip's own methods give them."""
    model: Any = clip.model
    more = {"normalize": False} if hasattr(model, "text_decoder") else {}
    return model.encode_image(images, **more), model.encode_text(tokens, **more)


def random_model(family: str) -> torch.nn.Module:
    """open_clip's model with random weights, in eval mode; a copy of one that is made once."""
    return copy.deepcopy(_random_model(family, torch.get_default_dtype()))


@cache
def _random_model(family: str, dtype: torch.dtype) -> torch.nn.Module:
    import logging

    from open_clip.coca_model import CoCa
    from open_clip.model import CLIP, CustomTextCLIP

    logging.getLogger().setLevel(logging.ERROR)
    config = family_config(family)
    kind = CLIP
    if config.pop("custom_text", False):
        kind = CoCa if "multimodal_cfg" in config else CustomTextCLIP
    torch.manual_seed(0)
    model = kind(**config)
    with torch.no_grad():  # towers start with many zeros: nothing would be seen of their parts
        for name, parameter in model.named_parameters():
            if parameter.ndim and "logit" not in name:
                parameter += 0.02 * torch.randn_like(parameter)
    return model.eval()
