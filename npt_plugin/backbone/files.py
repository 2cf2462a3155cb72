"""A CLIP from a file or folder: what it is, is told by the names of its tensors."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from pathlib import Path

from npt_plugin.backbone.hugging_face_folder import CONFIG as HUGGING_FACE_CONFIG
from npt_plugin.backbone.hugging_face_folder import load_hugging_face
from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.open_clip_file import CONFIG as OPEN_CLIP_CONFIG
from npt_plugin.backbone.open_clip_file import load_open_clip_file
from npt_plugin.backbone.openai import build_openai
from npt_plugin.backbone.weights_file import read_tensors
from npt_plugin.errors import UserError

_NAMES = (
    *("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors"),
    *("open_clip_pytorch_model.bin", "model.safetensors", "model.safetensors.index.json"),
    *("pytorch_model.bin", "pytorch_model.bin.index.json"),
)
"""Files with weights as open_clip and transformers name them, the first that is there is taken."""

_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")


class Kind(Enum):
    """Whose layout a file has; the value is said in the log."""

    HUGGING_FACE = "Hugging Face's layout"
    OPEN_CLIP = "open_clip's checkpoint"
    OPENAI = "OpenAI's state dict or archive, QuickGELU"


def load_path(path: Path, architecture: str = "") -> Backbone:
    """The model in a file or folder, on the CPU.

    Args:
        path: A file with weights, or a folder that holds one, with its config beside it.
        architecture: open_clip's name of it ("ViT-B-16", or with a tag of weights whose images
            were prepared alike), for a checkpoint that lies without ``open_clip_config.json``.

    Raises:
        UserError: If it cannot be read, is damaged, or is no CLIP; one sentence.
    """
    file = weights_in(path)
    tensors = read_tensors(file)
    kind = kind_of(file, tensors, architecture)
    if kind is Kind.HUGGING_FACE:
        model: Backbone = load_hugging_face(file, tensors)
    elif kind is Kind.OPEN_CLIP:
        model = load_open_clip_file(file, tensors, architecture)
    else:
        model = build_openai(tensors, str(file))
    model.about = f"{file.name}, {kind.value}"
    return model


def weights_in(path: Path) -> Path:
    """The file with the weights: the path itself, or the one that its folder holds.

    Raises:
        UserError: If there is none, or several without a name that says which.
    """
    if not path.exists():
        raise UserError(
            f"CLIP weights {path} do not exist: check MODEL.CLIP_WEIGHTS, or use the embedded "
            "model with MODEL.BACKBONE.NAME Tiny."
        )
    if not path.is_dir():
        return path
    named = [path / name for name in _NAMES if (path / name).is_file()]
    if named:
        return named[0]
    found = sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES)
    if len(found) != 1:
        have = ", ".join(file.name for file in found[:5]) or "none"
        raise UserError(
            f"The folder {path} does not say which file holds CLIP weights ({', '.join(_SUFFIXES)} "
            f"there: {have}): give the file's path."
        )
    return found[0]


def kind_of(file: Path, names: Iterable[str], architecture: str = "") -> Kind:
    """Whose layout tensors have.

    Args:
        file: Where they were read; configs beside it count.
        names: Of the tensors.
        architecture: As in :func:`load_path`.

    Raises:
        UserError: If they are no CLIP's, or the config that must lie beside them does not.
    """
    names = list(names)
    starts = {name.split(".", 1)[0] for name in names}
    if {"text_model", "vision_model"} <= starts:
        return _with_config(file, Kind.HUGGING_FACE, HUGGING_FACE_CONFIG, "")
    if architecture or file.with_name(OPEN_CLIP_CONFIG).is_file():
        return Kind.OPEN_CLIP
    if {"visual", "transformer", "token_embedding"} <= starts and "visual.trunk" not in _two(names):
        return Kind.OPENAI
    if "visual" in starts or "text" in starts:
        instead = ", or name the architecture with MODEL.BACKBONE.NAME open_clip:ARCHITECTURE"
        return _with_config(file, Kind.OPEN_CLIP, OPEN_CLIP_CONFIG, instead)
    raise UserError(
        f"{file} does not hold CLIP weights: its tensors are called {', '.join(names[:3])} ...; "
        "give OpenAI's, open_clip's or Hugging Face's CLIP or SigLIP."
    )


def _two(names: Iterable[str]) -> set[str]:
    return {".".join(name.split(".")[:2]) for name in names}


def _with_config(file: Path, kind: Kind, config: str, instead: str) -> Kind:
    if not file.with_name(config).is_file():
        raise UserError(
            f"{file} has {kind.value}, but {config} does not lie beside it, which says how to run "
            f"it: put it there{instead}."
        )
    return kind
