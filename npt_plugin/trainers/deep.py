"""What the deep-prompt methods share: initial words, and checks of depth."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from npt_plugin.backbone.interface import Backbone
from npt_plugin.errors import UserError
from npt_plugin.trainers.context import TextContext, embed_words, random_context, words_of

_MOST_WORDS = 4
"""``CTX_INIT`` is used up to this many vectors; above, the context starts as noise."""


def build_text_context(
    clip_model: Backbone, classnames: Sequence[str], n_ctx: int, ctx_init: str
) -> TextContext:
    """First-layer text context of MaPLe and IVLP.

    Unlike CoOp, ``n_ctx`` is kept: with "a photo of a" and 2 vectors, "a photo" is learned and
    "of a" stays in the prompt as fixed words.
    """
    if ctx_init and n_ctx <= _MOST_WORDS:
        words = words_of(ctx_init)
        ctx = embed_words(clip_model, words, n_ctx)  # (n_ctx, W)
    else:
        words = " ".join(["X"] * n_ctx)
        ctx = random_context(n_ctx, clip_model.text_width)
    print(f'Initial context: "{words}", {n_ctx} vectors learned')
    return TextContext(clip_model, classnames, ctx, words)


def deep_prompts(n_layers: int, n_ctx: int, width: int) -> nn.ParameterList:
    """Noise prompts (n_ctx, W) for layers 1 to n_layers."""
    return nn.ParameterList(random_context(n_ctx, width) for _ in range(n_layers))


def check_depth(key: str, depth: int, least: int, most: int) -> None:
    """Refuse a prompt depth the tower does not have.

    Raises:
        UserError: If ``depth`` is not in ``least..most``.
    """
    if not least <= depth <= most:
        raise UserError(f"{key} is {depth}; this backbone allows {least} to {most}.")
