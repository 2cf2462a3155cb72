"""ProGrad: CoOp whose gradient never goes against the direction of zero-shot knowledge."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any

import torch
from torch import Tensor, nn

from npt_plugin.backbone.interface import Backbone
from npt_plugin.datasets.prompt_templates import PROGRAD
from npt_plugin.errors import UserError
from npt_plugin.losses.nearness import DistillationLoss
from npt_plugin.losses.objective import Objective
from npt_plugin.system.options import in_range
from npt_plugin.trainers.context import TextContext, embed_words, words_of
from npt_plugin.trainers.coop import CoOp, CoOpCLIP, build_context
from npt_plugin.trainers.model import PromptedCLIP
from npt_plugin.trainers.named_text import text_features_of
from npt_plugin.trainers.zeroshot import template_of

GENERAL = "kl"
"""Name of the term whose gradient is the general direction."""


def padded_context(cfg: Any, classnames: Sequence[str], clip_model: Backbone) -> TextContext:
    """The words of ``CTX_INIT`` as the last of ``N_CTX`` vectors, behind zeros.

    With ``CTX_INIT`` True the words are those before the class name in the dataset's template.
    As many vectors are taken as the words have spaces between them, so a comma pushes the last
    word out of what is learned: it stays in the prompt as it is. The public code does the same.

    Raises:
        UserError: If there are no such words, or more than ``N_CTX``.
    """
    node = cfg.TRAINER.COOP
    if node.CTX_INIT in (True, "true"):
        words = template_of(cfg, PROGRAD).split("{}")[0].strip().replace("_", " ")
    else:
        words = words_of(node.CTX_INIT)
    count = len(words.split(" ")) if words else 0
    if not 0 < count <= node.N_CTX:
        raise UserError(
            f"TRAINER.COOP.CTX_INIT gives ProGrad {count} words to start from ({words!r}); it "
            f"takes 1 to TRAINER.COOP.N_CTX, {node.N_CTX}: raise that, or give other words."
        )
    known = embed_words(clip_model, words, count)  # (count, W)
    empty = node.N_CTX - count
    ctx = torch.cat([known.new_zeros(empty, known.shape[1]), known])  # (N_CTX, W)
    prefix = " ".join([*["X"] * empty, words])
    print(f'Initial context: "{prefix}", {node.N_CTX} vectors learned')
    return TextContext(clip_model, classnames, ctx, prefix, node.CLASS_TOKEN_POSITION)


def projected(gradient: Tensor, general: Tensor, strength: float) -> Tensor:
    """A gradient without the part that goes against a direction; as it is where none does.

    Args:
        gradient: Any shape, finite.
        general: The direction, of the same shape; of any length, 0 included.
        strength: lambda: how much of that part is taken away; 1: all.

    Example:
        >>> projected(torch.tensor([1.0, -2.0]), torch.tensor([0.0, 3.0]), 1.0).tolist()
        [1.0, 0.0]
    """
    length = torch.linalg.vector_norm(general)
    direction = general / torch.where(length > 0, length, 1)
    against = (gradient * direction).sum().clamp(max=0)
    return gradient - strength * against * direction


class ProGradCLIP(CoOpCLIP):
    """CLIP with ProGrad's context.

    Two gradients have to come down to the prompts apart, so its runs do not share a pass of the
    text tower with others.
    """

    prompts_for = PromptedCLIP.prompts_for

    def build_context(
        self, cfg: Any, classnames: Sequence[str], clip_model: Backbone
    ) -> TextContext:
        """Words behind zeros, or CoOp's noise."""
        make = padded_context if cfg.TRAINER.COOP.CTX_INIT else build_context
        return make(cfg, classnames, clip_model)


class ProGrad(CoOp):
    """Prompt-aligned gradient: the step follows the gradient of the loss, but for its part against
    the gradient that would bring predictions to zero-shot CLIP's.

    Source: Zhu et al., Prompt-aligned Gradient for Prompt Tuning, ICCV 2023, arXiv:2205.14865.
    """

    model_class = ProGradCLIP

    def check_cfg(self, cfg: Any) -> None:
        """Refuse another loss, and values that have no meaning."""
        super().check_cfg(cfg)
        if cfg.LOSS.NAME not in ("", "prograd"):
            raise UserError(f"LOSS.NAME is {cfg.LOSS.NAME!r}; ProGrad has one loss, prograd.")
        in_range("LOSS.T", cfg.LOSS.T, 1e-6)
        in_range("LOSS.LAMBDA", cfg.LOSS.LAMBDA, 0)

    def build_objective(self, clip_model: Backbone) -> nn.Module | None:
        """The distance to zero-shot predictions; it is not minimised, its gradient is a guide."""
        model = self.model
        template = template_of(self.cfg, PROGRAD)
        anchor = text_features_of(clip_model, self.classnames, template, model.text_encoder.chunk)
        scale = float(model.logit_scale.detach().exp())
        term = DistillationLoss(anchor, scale, self.cfg.LOSS.T)
        return Objective({GENERAL: term}, {GENERAL: 1.0}).to(self.device)

    def pull_back(self, terms: dict[str, Tensor]) -> Tensor:
        """Each parameter's gradient of all other terms, projected on that of the general one."""
        loss = reduce(add, (term for name, term in terms.items() if name != GENERAL))
        learned = [p for group in self.optim.param_groups for p in group["params"]]
        self.gradient_of(terms[GENERAL], again=True)
        general = [p.grad for p in learned]
        self.optim.zero_grad()
        self.gradient_of(loss)
        for parameter, guide in zip(learned, general, strict=True):
            if parameter.grad is not None and guide is not None:
                parameter.grad = projected(parameter.grad, guide, self.cfg.LOSS.LAMBDA)
        return loss
