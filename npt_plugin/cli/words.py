"""Show the dictionary words nearest to each learned context vector.

Learned vectors need not mean anything; the distance says how far the nearest word is.
"""

from __future__ import annotations

import argparse
import contextlib
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from npt_plugin.backbone.loading import TINY, load_clip_of
from npt_plugin.cli.help_format import WithDefaults, examples
from npt_plugin.embedded.weights import known_token_ids
from npt_plugin.errors import UserError
from npt_plugin.registration import register_all
from npt_plugin.runs.folder import RunFolder
from npt_plugin.system.exit_codes import exit_code
from npt_plugin.system.options import in_range
from npt_plugin.trainers.context import TextContext
from npt_plugin.trainers.restore import load_model


def nearest_words(
    folder: str | Path, k: int = 3, class_name: str = ""
) -> list[list[tuple[str, float]]]:
    """For each context vector its k nearest words and their Euclidean distances.

    Args:
        folder: The run's output folder.
        k: Words per vector.
        class_name: Which class's context, where each class has its own; empty: the first's.

    Raises:
        UserError: If the method learns no words, or there is no such class.

    Source: as in CoOp (arXiv:2109.01134, section 4.4).
    """
    register_all(base=True)
    run = RunFolder.open(folder)
    with contextlib.redirect_stdout(io.StringIO()):
        model, cfg, _, _ = load_model(run, device="cpu")
    contexts = [m for m in model.modules() if isinstance(m, TextContext)]
    if not contexts:
        raise UserError(f"{cfg.TRAINER.NAME} learns no context words.")
    ctx = contexts[0].ctx.detach().float()  # (n_ctx, W) or (K, n_ctx, W)
    if ctx.ndim == 3:
        ctx = ctx[_place(run.class_names, class_name)]
    clip_model = load_clip_of(cfg)
    table = clip_model.token_table.weight.detach().float()  # (V, W)
    ids = _meaningful(cfg, clip_model.tokenizer.words(), len(table))
    found = _nearest(ctx, table, ids, k)
    return [[(clip_model.tokenizer.word(i), d) for i, d in row] for row in found]


def _place(names: list[str], wanted: str) -> int:
    if wanted and wanted not in names:
        raise UserError(f"The run has no class {wanted!r}; it has {', '.join(names[:10])}.")
    return names.index(wanted) if wanted else 0


def _meaningful(cfg: Any, words: Iterable[int], size: int) -> Tensor:
    """Ids of words that have a row of the table's ``size``; of Tiny what it was trained on."""
    ids = set(words)
    if cfg.MODEL.BACKBONE.NAME == TINY and not cfg.MODEL.CLIP_WEIGHTS:
        ids &= set(known_token_ids())
    return torch.tensor(sorted(i for i in ids if i < size))


def _nearest(ctx: Tensor, table: Tensor, ids: Tensor, k: int) -> list[list[tuple[int, float]]]:
    distances = torch.cdist(ctx, table[ids])  # (n_ctx, V)
    values, places = distances.topk(min(k, len(ids)), dim=1, largest=False)
    return [
        [(int(ids[i]), d) for d, i in zip(ds, row, strict=True)]
        for ds, row in zip(values.tolist(), places.tolist(), strict=True)
    ]


def parser() -> argparse.ArgumentParser:
    """Flags of ``npt words``."""
    p = argparse.ArgumentParser(
        prog="npt words",
        description=__doc__,
        epilog=examples("npt words output/try"),
        formatter_class=WithDefaults,
    )
    p.add_argument("run", help="output folder of a run")
    p.add_argument("--top-k", type=int, default=3, help="words per vector")
    p.add_argument("--class-name", default="", help="whose context, where each class has its own")
    return p


def run(args: argparse.Namespace) -> None:
    """Print one line a vector."""
    in_range("--top-k", args.top_k, 1)
    for number, row in enumerate(nearest_words(args.run, args.top_k, args.class_name), 1):
        print(f"{number:>3}  " + ", ".join(f"{word} ({distance:.3f})" for word, distance in row))


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    return exit_code(run, parser().parse_args(argv))
