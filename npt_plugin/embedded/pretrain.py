"""Train the tiny CLIP: ``python -m npt_plugin.embedded.pretrain --out FILE --seed 0``.

Contrastive training on the drawn world in fp32, a fixed number of steps, with three departures
from CLIP's recipe, each because a few minutes of a CPU must be enough: pictures with the same
caption count as positives of each other (as in UniCL, Yang et al. 2022), linear heads on the
image tower predict what was drawn (training only), and easy pictures come first.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from clip.model import CLIP
from torch import Tensor, nn
from tqdm import tqdm

from npt_plugin.embedded.corpus import Batch, BatchMaker, draw_corpus
from npt_plugin.embedded.towers import image_tower, text_tower
from npt_plugin.embedded.weights import file_sha256, fresh_token_table, known_token_ids, save_tiny
from npt_plugin.embedded.world import ATTRIBUTES, SIZE


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, apart from the code and the machine's rounding.

    Attributes:
        seed: seed of the world, the weights and the batches.
        pictures: size of the world.
        steps: optimiser steps.
        batch: pictures a step.
        lr: peak learning rate of AdamW (linear warm-up, cosine decay).
        token_lr: factor on ``lr`` for the token rows, which keeps their scale near 0.02 so that
            prompts learned with CoOp's learning rate can move.
        scale_lr: learning rate of the logit scale.
        heads: weight of the attribute heads.
        keep: patches kept (of 36) until ``sparse_until``.
        sparse_until: share of the steps with dropped patches.
    """

    seed: int = 0
    pictures: int = 60_000
    steps: int = 2000
    batch: int = 128
    lr: float = 1.5e-3
    token_lr: float = 0.15
    scale_lr: float = 1e-2
    heads: float = 0.5
    keep: int = 27
    sparse_until: float = 0.6
    width: int = 128
    layers: int = 4
    text_layers: int = 3
    patch: int = 8
    embed: int = 128


class TinyClip(nn.Module):
    """A CLIP of OpenAI's architecture with a compact token table, and heads for training only."""

    def __init__(self, recipe: Recipe) -> None:
        """Build the model from a seed.

        Args:
            recipe: sizes and seed.
        """
        super().__init__()
        torch.manual_seed(recipe.seed)
        heads = max(1, recipe.width // 64)
        self.clip = CLIP(
            recipe.embed,
            SIZE,
            recipe.layers,
            recipe.width,
            recipe.patch,
            77,
            1,
            recipe.width,
            heads,
            recipe.text_layers,
        )
        ids = known_token_ids()
        self.rows = nn.Parameter(torch.from_numpy(fresh_token_table(recipe.width)[ids]))
        self.heads = nn.ModuleDict(
            {name: nn.Linear(recipe.width, n) for name, n in ATTRIBUTES.items()}
        )
        with torch.no_grad():
            self.clip.visual.positional_embedding[1:] += 0.1 * _plane_waves(
                SIZE // recipe.patch, recipe.width
            )

    def loss(self, batch: Batch, keep: int | None, head_weight: float) -> tuple[Tensor, Tensor]:
        """Return the training loss and, for the log, its contrastive part.

        Args:
            batch: pictures and captions.
            keep: patches to keep, None for all.
            head_weight: weight of the attribute heads.

        Returns:
            Two scalars.
        """
        pairs = [
            image_tower(self.clip.visual, part, keep) for part in batch.images.split(64)
        ]  # parts fit the cache
        features, before = (torch.cat(parts) for parts in zip(*pairs, strict=True))
        texts = self._texts(batch)  # (N, D)
        scale = self.clip.logit_scale.exp()
        logits = scale * F.normalize(features, dim=-1) @ F.normalize(texts, dim=-1).T  # (B, N)
        contrast = 0.5 * (
            F.cross_entropy(logits, batch.caption_of) + _text_to_image(logits, batch.caption_of)
        )
        heads = torch.zeros(())
        for column, (name, head) in enumerate(self.heads.items()):
            target = batch.facts[:, column]
            if (target >= 0).any():
                weight = 2.0 if name == "icon" else 1.0  # shapes are the slowest to learn
                heads = heads + weight * F.cross_entropy(head(before), target, ignore_index=-1)
        return contrast + head_weight * heads, contrast.detach()

    def _texts(self, batch: Batch) -> Tensor:
        """Encode captions in four groups of similar length, each cut after its last end token.

        The cut is exact because attention is causal.
        """
        groups = zip(batch.tokens.tensor_split(4), batch.ends.tensor_split(4), strict=True)
        return torch.cat(
            [
                text_tower(self.clip, self.rows[t[:, : int(e.max()) + 1]], e)
                for t, e in groups
                if len(e)
            ]
        )


def _plane_waves(grid: int, width: int) -> Tensor:
    """Return fixed 2-D sine and cosine position codes (grid * grid, width), a good start."""
    where = torch.arange(grid).float()
    rate = 1.0 / 40 ** (torch.arange(width // 4) / (width / 4))
    wave = torch.cat(
        [torch.sin(where[:, None] * rate * 2), torch.cos(where[:, None] * rate * 2)], dim=1
    )  # (g, W/2)
    rows, columns = wave[:, None].expand(-1, grid, -1), wave[None].expand(grid, -1, -1)
    return torch.cat([rows, columns], dim=-1).reshape(grid * grid, width)


def _text_to_image(logits: Tensor, caption_of: Tensor) -> Tensor:
    """Cross-entropy from each caption to all pictures that carry it, averaged over captions."""
    mine = F.one_hot(caption_of, logits.shape[1]).T.float()  # (N, B)
    return -(F.log_softmax(logits.T, dim=1) * mine / mine.sum(1, keepdim=True)).sum(1).mean()


def make_optimizer(model: TinyClip, recipe: Recipe) -> torch.optim.AdamW:
    """Return AdamW with separate rates for matrices, token rows, and the logit scale.

    Args:
        model: model to train.
        recipe: learning rates.
    """
    decay = [
        p
        for n, p in model.named_parameters()
        if p.ndim >= 2 and n != "rows" and "embedding" not in n
    ]
    special = {id(p) for p in [*decay, model.rows, model.clip.logit_scale]}
    plain = [p for p in model.parameters() if id(p) not in special]
    groups = [
        {"params": decay, "peak": recipe.lr, "weight_decay": 0.1},
        {"params": plain, "peak": recipe.lr, "weight_decay": 0.0},
        {"params": [model.rows], "peak": recipe.lr * recipe.token_lr, "weight_decay": 0.0},
        {"params": [model.clip.logit_scale], "peak": recipe.scale_lr, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.lr, betas=(0.9, 0.98), eps=1e-6)


def train(
    recipe: Recipe, steps: int | None = None, workers: int = 2, quiet: bool = False
) -> tuple[TinyClip, list[float]]:
    """Train, or run only the first steps of the schedule.

    Args:
        recipe: what to train.
        steps: stop after this many steps (default: all).
        workers: drawing processes.
        quiet: no progress bar.

    Returns:
        The model and the contrastive loss of every step.
    """
    maker = BatchMaker(*draw_corpus(recipe.seed, recipe.pictures, workers), recipe.seed)
    model = TinyClip(recipe)
    optimizer = make_optimizer(model, recipe)
    torch.manual_seed(recipe.seed)
    losses: list[float] = []
    bar = tqdm(
        range(steps or recipe.steps), desc="pretraining", disable=quiet or None, mininterval=5
    )
    for step in bar:
        done = step / recipe.steps
        rate = min(1.0, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * done))
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * rate
        batch = maker.draw(recipe.batch, reach=min(1.0, 0.25 + 1.5 * done))
        loss, contrast = model.loss(
            batch, recipe.keep if done < recipe.sparse_until else None, recipe.heads
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            model.clip.logit_scale.clamp_(max=math.log(100))
        losses.append(float(contrast))
        if step % 100 == 99 and not quiet:
            scale = model.clip.logit_scale.exp().item()
            line = f"step {step + 1}  loss {np.mean(losses[-100:]):.3f}  scale {scale:.1f}"
            bar.write(line, file=sys.stderr)
    return model, losses


def main(argv: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: arguments; default ``sys.argv``.

    Returns:
        Exit code.
    """
    parser = argparse.ArgumentParser(
        prog="python -m npt_plugin.embedded.pretrain", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--out", type=Path, help="safetensors file to write; a .json card is written beside it"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=Recipe.steps)
    args = parser.parse_args(argv)
    recipe = Recipe(seed=args.seed, steps=args.steps)
    begin = time.time()
    model, losses = train(recipe)
    save_tiny(args.out, model.clip.state_dict(), model.rows, known_token_ids())
    module = "python -m npt_plugin.embedded.pretrain"
    card = {
        "command": f"{module} --out {args.out.name} --seed {args.seed}",
        "recipe": asdict(recipe),
        "sha256": file_sha256(args.out),
        "minutes": round((time.time() - begin) / 60, 1),
        "torch": torch.__version__,
        "final_loss": round(float(np.mean(losses[-100:])), 4),
    }
    args.out.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(card))
    return 0


if __name__ == "__main__":
    sys.exit(main())
