"""Random CLIP and SigLIP models of transformers, small, and the folders it writes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

_TEXT = {
    "hidden_size": 16,
    "intermediate_size": 35,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "vocab_size": 600,
    "max_position_embeddings": 16,
}
_VISION = {
    "hidden_size": 24,
    "intermediate_size": 41,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "image_size": 16,
    "patch_size": 8,
}


def clip_config(act: str = "quick_gelu", eos: int = 599, **more: Any) -> Any:
    """A config of ``CLIPModel``; ``more`` goes to the text tower."""
    from transformers import CLIPConfig

    text = {**_TEXT, "hidden_act": act, "eos_token_id": eos, "layer_norm_eps": 1e-3, **more}
    vision = {**_VISION, "hidden_act": act}
    return CLIPConfig(text_config=text, vision_config=vision, projection_dim=12)


def siglip_config(act: str = "gelu_pytorch_tanh") -> Any:
    """A config of ``SiglipModel``."""
    from transformers import SiglipConfig

    text = {**_TEXT, "hidden_size": 24, "num_attention_heads": 2, "hidden_act": act}
    return SiglipConfig(text_config=text, vision_config={**_VISION, "hidden_act": act})


def random_model(config: Any) -> Any:
    """transformers' model in eval mode, in the default dtype, every tensor away from zero."""
    from transformers import CLIPModel, SiglipModel

    torch.manual_seed(0)
    kind = CLIPModel if config.model_type == "clip" else SiglipModel
    model = kind(config).eval().to(torch.get_default_dtype())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    return model


def own_features(model: Any, images: torch.Tensor, tokens: torch.Tensor) -> tuple[Any, Any]:
    """Image and text features, not normalised, as transformers' own methods give them."""
    found = model.get_image_features(images), model.get_text_features(tokens)
    plain = [f if isinstance(f, torch.Tensor) else f.pooler_output for f in found]
    return plain[0], plain[1]


def write_folder(model: Any, folder: Path, tokenizer: str = "", **how: Any) -> Path:
    """What ``save_pretrained`` writes; ``tokenizer`` names a folder to take its files from."""
    import shutil

    model.save_pretrained(folder, **how)
    if tokenizer:
        shutil.copytree(tokenizer, folder, dirs_exist_ok=True)
    return folder
