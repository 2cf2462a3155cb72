"""A classifier from several texts a class, beside what a run has learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.kept import prepared_clip
from npt_plugin.backbone.outputs import normalize
from npt_plugin.datasets.class_texts import class_texts
from npt_plugin.errors import UserError
from npt_plugin.system.random_state import rng_state, set_rng_state
from npt_plugin.trainers.named_text import text_features_of

_AT_ONCE = 256
"""Texts encoded at a time."""


def check_texts(model: Any) -> None:
    """Refuse ``texts`` where texts say nothing of the features, or logits have another scale.

    Raises:
        UserError: For a linear head, and for features that are not CLIP's.
    """
    if model.head_scale is None or not model.features_are_clips:
        raise UserError(
            "TEST.ENSEMBLE names texts, but this run's classifier is not one of cosines with "
            "CLIP's image features: leave texts out."
        )


@torch.no_grad()
def mean_text_features(clip_model: Backbone, texts: Sequence[Sequence[str]]) -> Tensor:
    """Unit-norm mean (K, D) of the unit-norm features of each class's texts.

    Source: prompt ensembling, Radford et al. 2021 (arXiv:2103.00020, section 3.1.4).

    Args:
        clip_model: CLIP as it was pre-trained.
        texts: K lists.
    """
    flat = [text for some in texts for text in some]
    parts = [flat[i : i + _AT_ONCE] for i in range(0, len(flat), _AT_ONCE)]
    features = torch.cat([text_features_of(clip_model, part, "{}") for part in parts]).float()
    rows = features.split([len(some) for some in texts])
    return normalize(torch.stack([of_class.mean(dim=0) for of_class in rows]))  # (K, D)


def text_rows(trainer: Any) -> Tensor:
    """The classifier's rows (K, D) on the CPU, in the space of the run's image features.

    Random states are left as they were.
    """
    state, cfg = rng_state(), trainer.cfg
    clip_model = prepared_clip(cfg, trainer.precision.tower_dtype).to(trainer.device)
    texts = class_texts(cfg.TEST.TEXTS, trainer.classnames)
    with trainer.precision.context(trainer.device):
        text = mean_text_features(clip_model, texts)
    set_rng_state(state)
    rows: Tensor = trainer.model.rows_of_text(text)
    return rows.float().cpu()


def text_logits(model: Any, logits: Tensor, features: Tensor, rows: Tensor) -> Tensor:
    """The mean of a run's logits and those of the texts; where nothing is learned, the latter.

    Args:
        model: The run's.
        logits: (N, K), the run's own.
        features: (N, D), unit norm.
        rows: (K, D), from ``text_rows``.
    """
    of_texts = model.head_scale * features @ rows.t() + model.head_bias  # (N, K)
    return (logits + of_texts) / 2 if model.learned() else of_texts
