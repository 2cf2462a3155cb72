"""Learned context words around class names: the text prompts of every method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from npt_plugin.backbone.blocks import ClipModule
from npt_plugin.backbone.loading import tokenize, tokenizer
from npt_plugin.backbone.prompt_layout import PromptLayout


def words_of(ctx_init: str | bool) -> str:
    """``CTX_INIT`` with underscores read as spaces; KgCoOp's configs say True for these words."""
    return ctx_init.replace("_", " ") if isinstance(ctx_init, str) else "a photo of a"


def embed_words(clip_model: ClipModule, words: str, n_ctx: int) -> Tensor:
    """The first ``n_ctx`` token embeddings of ``words``, fp32 (n_ctx, W)."""
    with torch.no_grad():
        embedding = clip_model.token_embedding(tokenize([words]))[0]  # (77, W)
    return embedding[1 : 1 + n_ctx].float().clone()


def random_context(*shape: int) -> Tensor:
    """Normal noise with standard deviation 0.02, fp32."""
    return nn.init.normal_(torch.empty(*shape), std=0.02)


def initial_context(clip_model: ClipModule, node: Any, *per_class: int) -> tuple[Tensor, str]:
    """Where CoOp and CoCoOp start: words of ``CTX_INIT``, or N(0, 0.02) noise.

    With ``CTX_INIT`` the number of context vectors is its number of words, whatever ``N_CTX``.

    Args:
        clip_model: Gives the token embeddings, width W.
        node: Config node with ``N_CTX`` and ``CTX_INIT``.
        per_class: K, for noise of its own for every class.

    Returns:
        The context (n_ctx, W), or (K, n_ctx, W), fp32; and the words that hold its place.
    """
    if node.CTX_INIT:
        words = words_of(node.CTX_INIT)
        ctx = embed_words(clip_model, words, len(words.split(" ")))  # (n_ctx, W)
    else:
        words = " ".join(["X"] * node.N_CTX)
        ctx = random_context(*per_class, node.N_CTX, clip_model.ln_final.weight.shape[0])
    print(f'Initial context: "{words}", {ctx.shape[-2]} vectors learned')
    return ctx, words


class TextContext(nn.Module):
    """Context vectors in front of (or around) each class name: "[ctx] name."

    The prompt text is ``prefix + " " + name + "."``; the token vectors after the start token are
    replaced by ``ctx``. Sequences are cut after the longest prompt's end-of-text token, which is
    exact because the text tower is causal.

    Args:
        clip_model: Gives the token embeddings, width W.
        classnames: K names; underscores are read as spaces.
        ctx: Initial context (n_ctx, W), shared, or (K, n_ctx, W), one per class.
        prefix: Words that hold the context's place in the tokenised prompt.
        position: Where the class name stands: end, middle or front.

    Attributes:
        ctx: The learned parameter.
        token_prefix: (K, 1, W) start token; rebuilt from the class names, not saved.
        token_suffix: (K, L - 1 - n_ctx, W) name, full stop, end of text; not saved.
        layout: What the prompts have in common, for the text tower.
    """

    token_prefix: Tensor
    token_suffix: Tensor
    order: Tensor | None

    def __init__(
        self,
        clip_model: ClipModule,
        classnames: Sequence[str],
        ctx: Tensor,
        prefix: str,
        position: str = "end",
    ) -> None:
        super().__init__()
        self.ctx = nn.Parameter(ctx)
        self.n_ctx = ctx.shape[-2]
        names = [name.replace("_", " ") for name in classnames]
        tokens = tokenize([f"{prefix} {name}." for name in names])  # (K, 77)
        eot = tokens.argmax(dim=-1)  # (K,): end of text has the highest id
        tokens = tokens[:, : int(eot.max()) + 1]  # (K, L)
        with torch.no_grad():
            embedding = clip_model.token_embedding(tokens).to(clip_model.dtype)  # (K, L, W)
        self.register_buffer("token_prefix", embedding[:, :1], persistent=False)
        self.register_buffer("token_suffix", embedding[:, 1 + self.n_ctx :], persistent=False)
        self.register_buffer("order", self._order(names, position), persistent=False)
        self.layout = PromptLayout(self._vector_ids(tokens), eot, share=ctx.ndim == 2)

    @property
    def eot(self) -> Tensor:
        """(K,) position of each prompt's end-of-text token."""
        return self.layout.eot

    def _vector_ids(self, tokens: Tensor) -> Tensor:
        """(K, L) token ids, with a number of its own (negative) for each context vector."""
        ids = tokens.clone()
        ids[:, 1 : 1 + self.n_ctx] = -1 - torch.arange(self.n_ctx)
        return ids if self.order is None else ids.gather(1, self.order)

    def _order(self, names: list[str], position: str) -> Tensor | None:
        """(K, L) places to gather from ``[start, ctx, rest]``; None where that order is right."""
        if position == "end":
            return None
        before = self.n_ctx // 2 if position == "middle" else 0
        length = 1 + self.n_ctx + self.token_suffix.shape[1]
        rows = []
        for name in names:
            n_name = len(tokenizer().encode(name))
            first = 1 + self.n_ctx  # where the name stands now
            head, tail = range(1, 1 + before), range(1 + before, first)
            middle, rest = range(first, first + n_name), range(first + n_name, length)
            rows.append([0, *head, *middle, *tail, *rest])
        return torch.tensor(rows)

    def assemble(self, ctx: Tensor | None = None) -> Tensor:
        """Prompt embeddings with the given context.

        Args:
            ctx: (n_ctx, W) for all classes, (K, n_ctx, W), or (G, 1, n_ctx, W) for G groups of
                prompts; None: the learned one.

        Returns:
            (K, L, W), or (G, K, L, W).
        """
        ctx = self.ctx if ctx is None else ctx
        prefix, suffix = self.token_prefix.to(ctx.dtype), self.token_suffix.to(ctx.dtype)
        lead = (*ctx.shape[:-3], len(prefix))  # (K,) or (G, K)
        parts = [part.expand(*lead, -1, -1) for part in (prefix, ctx, suffix)]
        prompts = torch.cat(parts, dim=-2)  # (..., K, L, W)
        if self.order is None:
            return prompts
        return prompts.gather(-2, self.order.unsqueeze(-1).expand_as(prompts))

    def forward(self) -> Tensor:
        """Prompt embeddings (K, L, W) with the learned context."""
        return self.assemble()
