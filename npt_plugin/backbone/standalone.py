"""A backbone for a program that has its own library and not this package."""

from __future__ import annotations

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
from npt_plugin.system.files import write_atomically

WEIGHTS = "backbone.safetensors"
"""OpenAI's model, or the image tower of another, where it has no public name."""


def write_backbone(
    cfg: Any, output: Path, change: Callable[[Backbone], None] | None = None
) -> tuple[dict[str, Any], list[Path]]:
    """Write the weights of a run's CLIP where its library cannot fetch them by name.

    Args:
        cfg: The run's config.
        output: Folder to write to.
        change: Puts learned weights into it; None: it is as its library has it.

    Returns:
        What the program has to know: ``library`` and ``backbone``, a public name or empty, and then
        the ``recipe`` of open_clip's or timm's tower; and the files written.

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
    if isinstance(model, OpenClip) and model.recipe:
        known = {"library": "open_clip", "backbone": "", "recipe": dict(model.recipe)}
        return known, [_write(model.model.visual, output)]
    if isinstance(model, OpenAIClip):
        # one row of the token table: the exported text features replace it
        return {"library": "clip", "backbone": ""}, [_write(model.model, output, rows=1)]
    raise UserError(
        f"{backbone_name(cfg)} does not export, as no library builds it from a file of its own: "
        f"use Predictor.from_run, or a backbone of OpenAI's or open_clip's, or {TINY}."
    )


def _open_clip_name(name: str) -> str:
    """What open_clip finds a model's weights by anywhere; empty where they are on this machine."""
    name = name.removeprefix(PREFIX) if name.startswith(PREFIX) else ""
    here = name.startswith("local-dir:") or Path(name.partition("/")[2]).is_file()
    return "" if here else name


def _write(model: Any, output: Path, rows: int | None = None) -> Path:
    """The weights of a module, of its token table only so many rows."""
    state = {k: v.contiguous().clone() for k, v in model.state_dict().items()}
    if rows:
        state["token_embedding.weight"] = state["token_embedding.weight"][:rows].clone()
    data = save(state)
    write_atomically(output / WEIGHTS, lambda file: file.write(data))
    return output / WEIGHTS
