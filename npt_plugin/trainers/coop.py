"""CoOp: context words learned by gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from npt_plugin.encoders import normalize
from npt_plugin.errors import UserError, nearest_hint
from npt_plugin.trainers.base import PromptTrainer
from npt_plugin.trainers.context import TextContext, embed_words, random_context, words_of
from npt_plugin.trainers.model import PromptedCLIP

POSITIONS = ("end", "middle", "front")


def build_context(cfg: Any, classnames: Sequence[str], clip_model: nn.Module) -> TextContext:
    """CoOp's context from ``TRAINER.COOP``: words of ``CTX_INIT``, or N(0, 0.02) noise.

    With ``CTX_INIT`` the number of context vectors is its number of words, whatever ``N_CTX``.
    """
    node = cfg.TRAINER.COOP
    width = clip_model.ln_final.weight.shape[0]
    if node.CTX_INIT:
        words = words_of(node.CTX_INIT)
        ctx = embed_words(clip_model, words, len(words.split(" ")))  # (n_ctx, W)
    else:
        words = " ".join(["X"] * node.N_CTX)
        per_class = (len(classnames),) if node.CSC else ()
        ctx = random_context(*per_class, node.N_CTX, width)
    print(f'Initial context: "{words}"')
    print(f"Number of context words (tokens): {ctx.shape[-2]}")
    return TextContext(clip_model, classnames, ctx, words, node.CLASS_TOKEN_POSITION)


class CoOpCLIP(PromptedCLIP):
    """CLIP with one learned context, shared by all classes or one per class (CSC)."""

    def __init__(self, cfg: Any, classnames: Sequence[str], clip_model: nn.Module) -> None:
        super().__init__(cfg, classnames, clip_model)
        self.prompt_learner = build_context(cfg, classnames, clip_model)

    def text_features(self) -> Tensor:
        """Unit-norm text features (K, D)."""
        learner = self.prompt_learner
        return normalize(self.text_encoder(learner(), learner.eot, layout=learner.layout))


class CoOp(PromptTrainer):
    """Context optimisation.

    Source: Zhou et al., Learning to Prompt for Vision-Language Models, IJCV 2022, arXiv:2109.01134.
    """

    model_class = CoOpCLIP

    def check_cfg(self, cfg: Any) -> None:
        """Refuse an unknown class-token position."""
        super().check_cfg(cfg)
        value = cfg.TRAINER.COOP.CLASS_TOKEN_POSITION
        if value not in POSITIONS:
            raise UserError(
                f"TRAINER.COOP.CLASS_TOKEN_POSITION is {value!r}{nearest_hint(value, POSITIONS)}; "
                f"allowed are {', '.join(POSITIONS)}."
            )
