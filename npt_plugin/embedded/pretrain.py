"""Train the tiny CLIP: ``python -m npt_plugin.embedded.pretrain --out FILE --seed 0``.

Contrastive training on the drawn world in fp32, a fixed number of steps, with three departures
from CLIP's recipe, each because a few minutes of a CPU must be enough: pictures with the same
caption count as positives of each other (as in UniCL, Yang et al. 2022), linear heads on the
image tower predict what was drawn (training only), and easy pictures come first.
``--check`` re-derives the first steps of the run that made the committed weights.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from npt_plugin.embedded.batches import BatchMaker
from npt_plugin.embedded.check import Trace, check_committed
from npt_plugin.embedded.corpus import Corpus, LazyCorpus
from npt_plugin.embedded.recipe import Recipe
from npt_plugin.embedded.tiny_model import TinyClip
from npt_plugin.embedded.weights import file_sha256, known_token_ids, save_tiny
from npt_plugin.system.progress import progress


def make_optimizer(model: TinyClip, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW with separate rates for matrices, token rows and the logit scale.

    Args:
        model: Model to train.
        recipe: Learning rates.
    """
    matrices = [
        p
        for name, p in model.named_parameters()
        if p.ndim >= 2 and name != "rows" and "embedding" not in name
    ]
    special = {id(p) for p in [*matrices, model.rows, model.clip.logit_scale]}
    plain = [p for p in model.parameters() if id(p) not in special]
    token_lr = recipe.lr * recipe.token_lr
    groups = [
        {"params": matrices, "peak": recipe.lr, "weight_decay": 0.1},
        {"params": plain, "peak": recipe.lr, "weight_decay": 0.0},
        {"params": [model.rows], "peak": token_lr, "weight_decay": 0.0},
        {"params": [model.clip.logit_scale], "peak": recipe.scale_lr, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.lr, betas=(0.9, 0.98), eps=1e-6)


def train(
    recipe: Recipe,
    corpus: Corpus | LazyCorpus,
    steps: int | None = None,
    start: TinyClip | None = None,
) -> tuple[TinyClip, list[float], Trace]:
    """Train, or run only the first steps of the schedule.

    Args:
        recipe: What to train.
        corpus: The world.
        steps: Stop after this many steps (default: all).
        start: The model to train on; None: a fresh one.

    Returns:
        The model, the contrastive loss of every step, and the trace of the first steps.
    """
    maker, model = BatchMaker(corpus, recipe.seed), start or TinyClip(recipe)
    optimizer, trace = make_optimizer(model, recipe), Trace(model)
    torch.manual_seed(recipe.seed)
    losses: list[float] = []
    bar = progress(range(steps or recipe.steps), desc="pretraining", unit="step", mininterval=2)
    for step in bar:
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * recipe.rate(step)
        batch = maker.draw(recipe.batch, recipe.reach(step))
        loss, contrast = model.loss(batch, recipe.patches(step), recipe.heads)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            model.clip.logit_scale.clamp_(max=math.log(100))
        losses.append(float(contrast))
        trace.add(batch, losses[-1])
        if step % 100 == 99:
            scale = model.clip.logit_scale.exp().item()
            note = f"step {step + 1}  loss {np.mean(losses[-100:]):.3f}  scale {scale:.1f}"
            bar.write(note, file=sys.stderr)
    return model, losses, trace


def write_weights(path: Path, recipe: Recipe) -> dict[str, Any]:
    """Train and write the weights, with a card beside them that says how they were made.

    Args:
        path: Safetensors file to write; the card gets the suffix ``.json``.
        recipe: What to train.

    Returns:
        The card.
    """
    begin = time.time()
    model, losses, trace = train(recipe, Corpus(recipe.seed, recipe.pictures))
    save_tiny(path, model.clip.state_dict(), model.rows, known_token_ids())
    module = "python -m npt_plugin.embedded.pretrain"
    card = {
        "command": f"{module} --out {path.name} --seed {recipe.seed} --steps {recipe.steps}",
        "sha256": file_sha256(path),
        "recipe": asdict(recipe),
        "minutes": round((time.time() - begin) / 60, 1),
        "torch": torch.__version__,
        "final_loss": round(float(np.mean(losses[-100:])), 4),
        "logit_scale": round(model.clip.logit_scale.exp().item(), 2),
        "check": trace.record(),
    }
    path.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return card


def _first_steps(recipe: Recipe, steps: int) -> dict[str, Any]:
    return train(recipe, LazyCorpus(recipe.seed, recipe.pictures), steps)[2].record()


def main(argv: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: Arguments; default ``sys.argv``.

    Returns:
        Exit code: 0, or 1 when ``--check`` fails.
    """
    parser = argparse.ArgumentParser(
        prog="python -m npt_plugin.embedded.pretrain", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--out", type=Path, help="safetensors file to write, a card beside it")
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument("--steps", type=int, default=Recipe.steps)
    parser.add_argument("--check", action="store_true", help="test the committed weights' origin")
    args = parser.parse_args(argv)
    if args.check:
        verdict, line = check_committed(_first_steps)
        print(line)
        return 0 if verdict else 1
    if args.out is None:
        parser.error("give --out FILE to train, or --check")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    print(json.dumps(write_weights(args.out, Recipe(seed=args.seed, steps=args.steps))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
