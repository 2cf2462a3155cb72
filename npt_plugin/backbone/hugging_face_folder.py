"""A folder as transformers' ``save_pretrained`` writes it: weights, configs, tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from npt_plugin.backbone.hugging_face import EARLY_EOS, build_model
from npt_plugin.backbone.hugging_face_config import HuggingFaceConfig, read_config
from npt_plugin.backbone.open_clip_file import TOKENIZER_FILES, has_tokenizer
from npt_plugin.backbone.open_clip_model import OpenClip
from npt_plugin.backbone.open_clip_package import open_clip_module
from npt_plugin.backbone.open_clip_tokenizer import wrap_tokenizer
from npt_plugin.backbone.openai import MEAN, STD
from npt_plugin.backbone.tokenizer import Tokenizer
from npt_plugin.backbone.weights_file import read_json
from npt_plugin.errors import UserError, first_line

CONFIG, IMAGES = "config.json", "preprocessor_config.json"

_NORMAL = {"clip": (MEAN, STD), "siglip": ((0.5,) * 3, (0.5,) * 3)}
"""Mean and std of transformers' image processors where a folder holds no config of one."""

_CLIP_VOCABULARY = 49408


def load_hugging_face(file: Path, tensors: Mapping[str, Tensor]) -> OpenClip:
    """The model of a folder, as open_clip's modules.

    Args:
        file: Where the tensors were read; the other files lie beside it.
        tensors: Under transformers' names.

    Raises:
        UserError: If a file is missing or does not fit the others, or open_clip is not installed.
    """
    open_clip_module()
    config = read_config(read_json(file.with_name(CONFIG)), str(file.with_name(CONFIG)))
    built, recipe = build_model(config, tensors, str(file))
    model: Any = built
    images = image_config(file)
    model.visual.preprocess_cfg = {"mean": images["mean"], "std": images["std"]}
    tokenizer = _tokenizer(config, file.parent)
    _check_marks(config, tokenizer, file.parent)
    return OpenClip(model, tokenizer, recipe)


def image_config(file: Path) -> dict[str, Any]:
    """``size``, ``mean`` and ``std`` of the images of a folder's model.

    Raises:
        UserError: If a config cannot be read.
    """
    config = read_config(read_json(file.with_name(CONFIG)), str(file.with_name(CONFIG)))
    mean, std = _NORMAL[config.kind]
    path = file.with_name(IMAGES)
    if path.is_file():
        held = read_json(path)
        mean, std = held.get("image_mean", mean), held.get("image_std", std)
    for name, values in (("image_mean", mean), ("image_std", std)):
        if len(values) != 3 or not all(isinstance(value, (int, float)) for value in values):
            raise UserError(f"{path}: {name} is {values!r}, not three numbers.")
    return {"size": config.vision["image_size"], "mean": tuple(mean), "std": tuple(std)}


def _check_marks(config: HuggingFaceConfig, tokenizer: Tokenizer, folder: Path) -> None:
    """Refuse a tokenizer of another model: no token would end a text, or one would have no row."""
    tokens, rows = tokenizer(["a"]), config.text["vocab_size"]
    if int(tokens.max()) >= rows:
        raise UserError(
            f"The tokenizer of {folder} gives the id {int(tokens.max())}, but the model has {rows} "
            "tokens: take both from one model."
        )
    eos = config.text.get("eos_token_id")
    if config.kind == "clip" and eos != EARLY_EOS and eos not in tokens.tolist()[0]:
        raise UserError(
            f"The tokenizer of {folder} ends no text with {eos}, which its config.json says "
            "(eos_token_id): take both from one model."
        )


def _tokenizer(config: HuggingFaceConfig, folder: Path) -> Tokenizer:
    """CLIP's byte pairs where the folder's are the same or it has none; else the folder's own."""
    from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

    length = config.text["max_position_embeddings"]
    if config.kind == "clip" and config.text["vocab_size"] == _CLIP_VOCABULARY:
        simple = SimpleTokenizer(context_length=length)
        words = folder / "vocab.json"
        if not has_tokenizer(folder) or (words.is_file() and read_json(words) == simple.encoder):
            return wrap_tokenizer(simple)
    if not has_tokenizer(folder):
        raise UserError(
            f"{folder} holds no tokenizer: put {' or '.join(TOKENIZER_FILES)} of the model there."
        )
    clean = "canonicalize" if config.kind == "siglip" else "whitespace"
    try:
        return wrap_tokenizer(HFTokenizer(str(folder), context_length=length, clean=clean))
    except Exception as error:  # of transformers, which may be missing too
        raise UserError(
            f"The tokenizer of {folder} could not be loaded ({first_line(error)}): its files must "
            "be complete, and transformers installed."
        ) from None
