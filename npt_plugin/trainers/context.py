"""Learned context words around class names: the text prompts of every method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.prompt_layout import PromptLayout


def words_of(ctx_init: str | bool) -> str:
    """``CTX_INIT`` with underscores read as spaces; KgCoOp's configs say True for these words."""
    return "a photo of a" if ctx_init in (True, "true") else str(ctx_init).replace("_", " ")


def embed_words(clip_model: Backbone, words: str, n_ctx: int) -> Tensor:
    """The first ``n_ctx`` token embeddings of ``words``, fp32 (n_ctx, W)."""
    with torch.no_grad():
        embedding = clip_model.embed(clip_model.tokenizer([words]))[0]  # (77, W)
    starts = clip_model.tokenizer.starts
    return embedding[starts : starts + n_ctx].float().clone()


def random_context(*shape: int) -> Tensor:
    """Normal noise with standard deviation 0.02, fp32."""
    return nn.init.normal_(torch.empty(*shape), std=0.02)


def initial_context(clip_model: Backbone, node: Any, *per_class: int) -> tuple[Tensor, str]:
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
        ctx = random_context(*per_class, node.N_CTX, clip_model.text_width)
    print(f'Initial context: "{words}", {ctx.shape[-2]} vectors learned')
    return ctx, words


class TextContext(nn.Module):
    """Context vectors in front of (or around) each class name: "[ctx] name."

    The prompt text is ``prefix + " " + name + "."``; the token vectors after the start token are
    replaced by ``ctx``. Where the text tower is causal, sequences are cut after the longest
    prompt's end-of-text token, which is exact.

    Args:
        clip_model: Gives the token embeddings, width W.
        classnames: K names; underscores are read as spaces.
        ctx: Initial context (n_ctx, W), shared, or (K, n_ctx, W), one per class.
        prefix: Words that hold the context's place in the tokenised prompt.
        position: Where the class name stands: end, middle or front.

    Attributes:
        ctx: The learned parameter.
        token_prefix: (K, 1, W) start token (0 where there is none); rebuilt from the class names,
            not saved.
        token_suffix: (K, L - 1 - n_ctx, W) name, full stop, end of text; not saved.
        layout: What the prompts have in common, for the text tower.
    """

    token_prefix: Tensor
    token_suffix: Tensor
    order: Tensor | None

    def __init__(
        self,
        clip_model: Backbone,
        classnames: Sequence[str],
        ctx: Tensor,
        prefix: str,
        position: str = "end",
    ) -> None:
        super().__init__()
        self.ctx = nn.Parameter(ctx)
        self.n_ctx = ctx.shape[-2]
        names = [name.replace("_", " ") for name in classnames]
        tokenizer = clip_model.tokenizer
        texts = tokenizer.prompts(prefix, [f"{name}." for name in names], self.n_ctx)
        tokens, eot = clip_model.cut(texts)  # (K, L), (K,)
        with torch.no_grad():
            embedding = clip_model.embed(tokens).to(clip_model.dtype)  # (K, L, W)
        self.first = tokenizer.starts  # where the context begins
        rest = embedding[:, self.first + self.n_ctx :]
        self.register_buffer("token_prefix", embedding[:, : self.first], persistent=False)
        self.register_buffer("token_suffix", rest, persistent=False)
        lengths = [len(tokenizer.encode(name)) for name in names]
        self.register_buffer("order", self._order(lengths, position), persistent=False)
        ids = self._vector_ids(tokens)
        self.layout = PromptLayout(ids, eot, share=ctx.ndim == 2, causal=clip_model.causal)

    @property
    def eot(self) -> Tensor:
        """(K,) position of each prompt's end-of-text token."""
        return self.layout.eot

    def _vector_ids(self, tokens: Tensor) -> Tensor:
        """(K, L) token ids, with a number of its own (negative) for each context vector."""
        ids = tokens.clone()
        ids[:, self.first : self.first + self.n_ctx] = -1 - torch.arange(self.n_ctx)
        return ids if self.order is None else ids.gather(1, self.order)

    def _order(self, lengths: list[int], position: str) -> Tensor | None:
        """(K, L) places to gather from ``[start, ctx, rest]``; None where that order is right."""
        if position == "end":
            return None
        before = self.n_ctx // 2 if position == "middle" else 0
        start, name = self.first, self.first + self.n_ctx  # where context and name stand now
        length = name + self.token_suffix.shape[1]
        rows = []
        for number in lengths:
            head, tail = range(start, start + before), range(start + before, name)
            middle, rest = range(name, name + number), range(name + number, length)
            rows.append([*range(start), *head, *middle, *tail, *rest])
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
