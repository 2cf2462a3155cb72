"""A backbone for a program that has its own library and not this package."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors.torch import save

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.loading import TINY, backbone_name, load_clip_of
from npt_plugin.backbone.open_clip_model import OpenClip
from npt_plugin.backbone.open_clip_package import PREFIX
from npt_plugin.backbone.openai import OpenAIClip, openai_names
from npt_plugin.errors import UserError
from npt_plugin.system.files import write_atomically, write_text

WEIGHTS = "backbone.safetensors"
"""OpenAI's model where it has no public name; open_clip's is a folder without the ending."""


def write_backbone(
    cfg: Any, output: Path, change: Callable[[Backbone], None] | None = None
) -> tuple[dict[str, str], list[Path]]:
    """Write the weights of a run's CLIP where its library cannot fetch them by name.

    Args:
        cfg: The run's config.
        output: Folder to write to.
        change: Puts learned weights into it; None: it is as its library has it.

    Returns:
        What the program has to know: ``library`` and ``backbone``, a public name or empty; and the
        files written.

    Raises:
        UserError: If no library builds this backbone from what can be written.
    """
    name = "" if cfg.MODEL.CLIP_WEIGHTS else cfg.MODEL.BACKBONE.NAME
    if not change and name in openai_names():
        return {"library": "clip", "backbone": name}, []
    public = _open_clip_name(name)
    if not change and public:
        return {"library": "open_clip", "backbone": public}, []
    model = load_clip_of(cfg).float()
    if change:
        change(model)
    if isinstance(model, OpenAIClip):
        return {"library": "clip", "backbone": ""}, [_write_openai(model, output / WEIGHTS)]
    if isinstance(model, OpenClip) and model.config:
        folder = output / Path(WEIGHTS).stem
        return {"library": "open_clip", "backbone": ""}, _write_open_clip(model, folder)
    raise UserError(
        f"{backbone_name(cfg)} does not export, as no library builds it from a file of its own: "
        f"use Predictor.from_run, or a backbone of OpenAI's or open_clip's, or {TINY}."
    )


def _open_clip_name(name: str) -> str:
    """What open_clip finds a model's weights by anywhere; empty where they are on this machine."""
    name = name.removeprefix(PREFIX) if name.startswith(PREFIX) else ""
    here = name.startswith("local-dir:") or Path(name.partition("/")[2]).is_file()
    return "" if here else name


def _write_openai(model: Backbone, path: Path) -> Path:
    """CLIP's weights with one row of the token table: the exported text features replace it."""
    state = {k: v.contiguous() for k, v in model.model.state_dict().items()}
    state["token_embedding.weight"] = state["token_embedding.weight"][:1].clone()
    data = save(state)
    write_atomically(path, lambda file: file.write(data))
    return path


def _write_open_clip(model: OpenClip, folder: Path) -> list[Path]:
    """A folder as open_clip's ``local-dir:`` reads it."""
    state = {k: v.contiguous().clone() for k, v in model.model.state_dict().items()}
    data, config = save(state), folder / "open_clip_config.json"
    weights = folder / "open_clip_model.safetensors"
    write_atomically(weights, lambda file: file.write(data))
    write_text(config, json.dumps({"model_cfg": model.config}, indent=1))
    return [weights, config]
