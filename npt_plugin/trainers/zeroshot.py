"""Zero-shot CLIP: hand-written prompts, nothing learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from npt_plugin.backbone.interface import Backbone
from npt_plugin.datasets.prompt_templates import template_for
from npt_plugin.errors import UserError
from npt_plugin.trainers.base import PromptTrainer
from npt_plugin.trainers.model import PromptedCLIP
from npt_plugin.trainers.named_text import text_features_of


def template_of(cfg: Any, method: Mapping[str, str] | None = None) -> str:
    """The prompt template of the run: ``TRAINER.ZSCLIP.TEMPLATE``, or the dataset's published one.

    Args:
        cfg: The run's config.
        method: As in ``template_for``.

    Raises:
        UserError: If the given template has no ``{}`` for the class name.
    """
    template = cfg.TRAINER.ZSCLIP.TEMPLATE or template_for(cfg.DATASET.NAME, method)
    if "{}" not in template:
        raise UserError(
            f"TRAINER.ZSCLIP.TEMPLATE {template!r} has no place for the class name: put {{}} in it."
        )
    return template


class ZeroshotCLIPModel(PromptedCLIP):
    """CLIP with one fixed prompt a class."""

    learns_text_side = False
    prec_node = "ZSCLIP"
    checkpoint_name = "zero_shot"
    fixed_text: Tensor

    def __init__(self, cfg: Any, classnames: Sequence[str], clip_model: Backbone) -> None:
        super().__init__(cfg, classnames, clip_model)
        template = template_of(cfg)
        print(f'Prompt: "{template}"')
        features = text_features_of(clip_model, classnames, template, self.text_encoder.chunk)
        self.register_buffer("fixed_text", features, persistent=False)  # (K, D)

    def text_features(self) -> Tensor:
        """Unit-norm text features (K, D), computed once."""
        return self.fixed_text


class ZeroshotCLIP(PromptTrainer):
    """Zero-shot CLIP with the prompt template published for each dataset.

    Source: Radford et al. 2021, arXiv:2103.00020; templates as in the CoOp family.
    """

    model_class = ZeroshotCLIPModel

    def train(self) -> None:
        """There is nothing to train: evaluate."""
        self.test()

    def load_model(self, directory: str, epoch: int | None = None) -> None:
        """There is nothing to load."""
