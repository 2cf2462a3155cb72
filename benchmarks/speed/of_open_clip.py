"""Part of the speed benchmark: the same weights as open_clip's model and as OpenAI's."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from turns import largest_difference, take_turns
from workbench import Bench

_NUMBERS = ("input_resolution", "context_length", "vocab_size")
"""What OpenAI's state dicts hold beside tensors."""


def open_clip(bench: Bench) -> None:
    """CoOp with 19 and 100 classes on both: parity, step, text part, test."""
    with tempfile.TemporaryDirectory() as folder:
        write_folder(bench, Path(folder))
        name = ("MODEL.CLIP_WEIGHTS", "", "MODEL.BACKBONE.NAME", f"open_clip:local-dir:{folder}")
        for classes in (19, 100):
            with bench.ours("CoOp", classes) as own, bench.ours("CoOp", classes, *name) as other:
                sides, what = {"OpenAI": own, "open_clip": other}, f"open_clip K={classes}"
                tables = [worker("logits", batch=4) for worker in sides.values()]
                bench.note(f"{what} logits differ by", largest_difference(*tables))
                bench.note(f"{what} step B=32", take_turns(sides, "step", 5, batch=32))
                bench.note(f"{what} text part", take_turns(sides, "text", 5))


def write_folder(bench: Bench, folder: Path) -> None:
    """The benchmark's random CLIP as open_clip writes one.

    Args:
        bench: Its shape and weights.
        folder: Existing folder to write to.
    """
    shape = bench.shape
    vision = {"image_size": shape["size"], "layers": shape["layers"], "width": 768}
    vision["patch_size"] = shape["patch"]
    text = {"context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8}
    model = {"embed_dim": 512, "quick_gelu": True, "vision_cfg": vision}
    model["text_cfg"] = {**text, "layers": shape["layers"]}
    about = {"model_cfg": model, "preprocess_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps(about), encoding="utf-8")
    state = torch.load(bench.weights, weights_only=True)
    tensors = {k: v.float().contiguous() for k, v in state.items() if k not in _NUMBERS}
    save_file(tensors, str(folder / "open_clip_model.safetensors"))
