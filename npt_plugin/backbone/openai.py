"""OpenAI's CLIP: its code, tokenizer, names and downloads, and the interface over its model."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from urllib.error import URLError

from torch import Tensor, nn

from npt_plugin.backbone.block import FamilyModule
from npt_plugin.backbone.image_tower import RESNET, ImageTower, ViT
from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.text_tower import TextTower
from npt_plugin.backbone.tokenizer import Tokenizer
from npt_plugin.errors import UserError, first_line

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
"""Of the pixels OpenAI's models were trained on, by channel."""

_DISTRIBUTION = "clip-anytorch"
_PRIVATE_NAME = "npt_plugin_clip"


@lru_cache(maxsize=1)
def clip_module() -> ModuleType:
    """OpenAI's ``clip`` package as published, even where a host's own ``clip/`` shadows it.

    Host checkouts ship modified copies (MaPLe's ``build_model`` needs ``design_details``), so the
    installed distribution is found by its metadata and loaded under a private name.
    """
    try:
        folder = Path(str(importlib.metadata.distribution(_DISTRIBUTION).locate_file("clip")))
    except importlib.metadata.PackageNotFoundError:
        raise UserError(
            "CLIP's code is missing: install it with `pip install clip-anytorch 'setuptools<81'`."
        ) from None
    loaded = sys.modules.get("clip")
    if loaded is not None and Path(getattr(loaded, "__file__", "") or ".").parent == folder:
        return loaded
    spec = importlib.util.spec_from_file_location(
        _PRIVATE_NAME, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None  # a .py file has both
    module = importlib.util.module_from_spec(spec)
    sys.modules[_PRIVATE_NAME] = module
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # clip imports the deprecated pkg_resources
            spec.loader.exec_module(module)
    except ModuleNotFoundError as error:  # pkg_resources left setuptools in version 81
        sys.modules.pop(_PRIVATE_NAME, None)
        package = "'setuptools<81'" if error.name == "pkg_resources" else error.name
        raise UserError(
            f"CLIP's code needs the module {error.name!r}: run `pip install {package}`."
        ) from None
    return module


def part_of_clip(name: str) -> ModuleType:
    """A module of that package, such as ``model``."""
    return importlib.import_module(f"{clip_module().__name__}.{name}")


@lru_cache(maxsize=1)
def byte_pairs():
    """CLIP's byte-pair coder (one instance; building it takes a while)."""
    return part_of_clip("simple_tokenizer").SimpleTokenizer()


class BytePairs(Tokenizer):
    """CLIP's own tokenizer: start token, byte pairs in lower case, end-of-text token, zeros."""

    length, starts, pad = 77, 1, 0

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Token ids of each text, (N, 77) int, padded with 0 after the end-of-text token.

        Raises:
            UserError: If a text has more than 75 tokens (CLIP reads no more).
        """
        try:
            return clip_module().tokenize(list(texts))
        except RuntimeError as error:
            raise UserError(
                f"A prompt is too long for CLIP's 77 tokens ({error}): shorten the class name or "
                "the number of context words."
            ) from None

    def encode(self, text: str) -> list[int]:
        """Ids of the words alone."""
        return byte_pairs().encode(text)

    def words(self) -> Iterable[int]:
        """All but the marks of start and end."""
        coder = byte_pairs()
        marks = {coder.encoder["<|startoftext|>"], coder.encoder["<|endoftext|>"]}
        return coder.decoder.keys() - marks

    def word(self, token: int) -> str:
        """What one id stands for."""
        return byte_pairs().decoder[token].replace("</w>", "")


class OpenAIClip(Backbone):
    """``clip.model.CLIP``: a ViT or a modified ResNet, and a causal text tower.

    Args:
        model: As OpenAI's ``build_model`` makes it.
    """

    def __init__(self, model: FamilyModule) -> None:
        size = model.visual.input_resolution
        super().__init__(model, BytePairs(), (size, size), MEAN, STD)

    def image_tower(self) -> ImageTower:
        """A ViT; or the ResNet as it is."""
        visual = self.model.visual
        if hasattr(visual, "transformer"):
            return ViT(visual)
        return ImageTower(visual, visual.output_dim, RESNET)

    def text_tower(self, chunk: int = 0) -> TextTower:
        """The causal text tower."""
        return TextTower(self.model, self.tokenizer.starts, chunk)

    @property
    def token_table(self) -> nn.Embedding:
        """(49408, W)."""
        return self.model.token_embedding

    def ends(self, tokens: Tensor) -> Tensor:
        """Where the end-of-text token stands, which has the highest id."""
        return tokens.argmax(dim=-1)

    @property
    def logit_scale(self) -> nn.Parameter:
        """Logarithm of what cosines are multiplied by."""
        return self.model.logit_scale


def build_openai(state: Mapping[str, Tensor], source: str) -> OpenAIClip:
    """A model from a state dict with OpenAI's names, in fp16 as OpenAI's ``build_model`` makes it.

    Args:
        state: The tensors.
        source: Where they came from, for messages.

    Raises:
        UserError: If they are not a CLIP's.
    """
    try:
        model = part_of_clip("model").build_model(dict(state))
    except (KeyError, RuntimeError) as error:
        raise UserError(
            f"{source} does not hold CLIP weights ({first_line(error)}): give a state "
            "dict or JIT archive of an OpenAI CLIP model."
        ) from None
    return OpenAIClip(model)


def openai_names() -> list[str]:
    """Names of OpenAI's models."""
    return clip_module().available_models()


def weights_at_hand(name: str) -> bool:
    """Whether the weights of a model of OpenAI's are on this machine already."""
    return _cached(name).is_file()


def _cached(name: str) -> Path:
    """Where ``clip`` keeps the weights of a model it knows."""
    return Path.home() / ".cache" / "clip" / Path(part_of_clip("clip")._MODELS[name]).name


def download_openai(name: str) -> Path:
    """The file with the weights of a model of OpenAI's, downloaded where it is not there.

    Raises:
        UserError: If it cannot be had.
    """
    clip, target = part_of_clip("clip"), _cached(name)
    was_there = target.exists()
    try:
        return Path(clip._download(clip._MODELS[name], str(target.parent)))
    except (URLError, OSError, RuntimeError) as error:
        if not was_there:
            target.unlink(missing_ok=True)  # clip downloads straight to the final name
        raise UserError(
            f"The weights of CLIP {name} are not on this machine and could not be downloaded "
            f"({first_line(error)}): put the file at {target} or give its path with "
            "MODEL.CLIP_WEIGHTS, or use the embedded model with MODEL.BACKBONE.NAME Tiny."
        ) from None
