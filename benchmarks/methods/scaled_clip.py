"""The embedded CLIP at other logit scales: made sharper as it is, or trained on at a fixed scale.

    python benchmarks/methods/scaled_clip.py --scale 100 --kind retrained --out FILE.safetensors

``tempered``: the scale in the weights file is another, all else as it was. Cosines are those of
``Tiny``, so logits spread ``scale / 17.5`` times as far: it is no CLIP that training would make.
``retrained``: pretraining goes on from ``Tiny`` with the scale held fixed, which lets the cosines
draw together or apart until the logits fit again, as they do in a CLIP trained to that scale.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from npt_plugin.backbone.tiny import TOKEN_TABLE, load_tiny_state_dict
from npt_plugin.embedded.corpus import LazyCorpus
from npt_plugin.embedded.pretrain import train
from npt_plugin.embedded.recipe import Recipe
from npt_plugin.embedded.tiny_model import TinyClip
from npt_plugin.embedded.weights import known_token_ids

KINDS = ("tempered", "retrained")
STEPS = 300
"""Of training on; the mean contrastive loss has settled by then."""

RECIPE = Recipe(pictures=6000, steps=STEPS, lr=5e-4, scale_lr=0.0, sparse_until=0.0)
"""A third of the first training's rate, a tenth of its world, all patches."""


def tempered(scale: float) -> dict[str, Tensor]:
    """The embedded CLIP with another logit scale.

    Args:
        scale: exp(logit_scale).
    """
    return {**load_tiny_state_dict(), "logit_scale": torch.tensor(math.log(scale))}


def retrained(scale: float, steps: int = STEPS) -> dict[str, Tensor]:
    """The embedded CLIP after more pretraining at a fixed logit scale.

    Args:
        scale: exp(logit_scale), at most 100.
        steps: Optimiser steps.
    """
    ids, start = known_token_ids(), TinyClip(RECIPE)
    state = tempered(scale)
    start.rows.data.copy_(state.pop(TOKEN_TABLE)[ids])
    start.clip.load_state_dict(state, strict=False)  # all but its own token table
    world = LazyCorpus(RECIPE.seed, RECIPE.pictures)
    model, losses, _ = train(RECIPE, world, steps, start)
    print(f"contrastive loss {sum(losses[:20]) / 20:.3f} -> {sum(losses[-20:]) / 20:.3f}")
    state = {name: tensor.detach().clone() for name, tensor in model.clip.state_dict().items()}
    state[TOKEN_TABLE] = load_tiny_state_dict()[TOKEN_TABLE]
    state[TOKEN_TABLE][ids] = model.rows.detach()
    return state


def write(kind: str, scale: float, path: Path, steps: int = STEPS) -> None:
    """Make one CLIP and write it as a state dict of OpenAI's names.

    Args:
        kind: One of ``KINDS``.
        scale: exp(logit_scale).
        path: Safetensors file.
        steps: Of training on.
    """
    made = tempered(scale) if kind == "tempered" else retrained(scale, steps)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in made.items()}, path)
    path.chmod(0o644)  # safetensors writes private files


def main() -> None:
    """Write one file."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--scale", type=float, required=True)
    p.add_argument("--kind", choices=KINDS, required=True)
    p.add_argument("--steps", type=int, default=STEPS)
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args()
    write(args.kind, args.scale, args.out, args.steps)


if __name__ == "__main__":
    main()
