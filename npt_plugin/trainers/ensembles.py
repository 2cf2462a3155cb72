"""Test-time ensembles: the mean of logits over views of an image, or over texts of a class."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from npt_plugin.datasets.class_texts import class_texts
from npt_plugin.datasets.views import CENTRE, PLACES, View
from npt_plugin.errors import UserError
from npt_plugin.system.options import one_of
from npt_plugin.trainers.text_ensemble import check_texts, text_logits, text_rows

PARTS = ("crops", "flip", "texts")
"""What ``TEST.ENSEMBLE`` is made of."""

_KEY = "TEST.ENSEMBLE"


@dataclass(frozen=True)
class Ensemble:
    """One entry of ``TEST.ENSEMBLE``.

    Attributes:
        crops: The five crops of LIFT in place of the plain view.
        flip: Each view and its mirror image.
        texts: The plain classifier and one made of several texts a class.
    """

    crops: bool = False
    flip: bool = False
    texts: bool = False

    def __str__(self) -> str:
        return "+".join(part for part in PARTS if getattr(self, part))

    @property
    def of_views(self) -> bool:
        """Whether images have to be seen again."""
        return self.crops or self.flip


def ensembles_named(text: str) -> list[Ensemble]:
    """The entries of ``TEST.ENSEMBLE``, each once.

    Raises:
        UserError: If a part does not exist.
    """
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    parts = [[one_of(_KEY, part.strip(), PARTS) for part in e.split("+")] for e in entries]
    return list(dict.fromkeys(Ensemble(**dict.fromkeys(some, True)) for some in parts))


def check_ensembles(cfg: Any, model: Any, classnames: Sequence[str]) -> None:
    """Refuse, before anything is trained, an ensemble that cannot be tested.

    Raises:
        UserError: Naming what cannot be.
    """
    wanted = ensembles_named(cfg.TEST.ENSEMBLE)
    if any(one.texts for one in wanted):
        check_texts(model)
        class_texts(cfg.TEST.TEXTS, classnames)


Collect = Callable[[Any], tuple[Tensor, Tensor]]
"""From a test loader to logits (N, K) and image features (N, D)."""


def ensemble_logits(
    trainer: Any, loader: Any, collect: Collect, plain: tuple[Tensor, Tensor]
) -> Iterator[tuple[str, Tensor]]:
    """Every ensemble's name and mean logits (N, K).

    The logits of all members count alike, as in LIFT (arXiv:2309.10019, test-time ensembling).

    Args:
        trainer: A ``PromptTrainer`` in eval mode.
        loader: Its test loader.
        collect: Tests on the images of another loader.
        plain: Logits (N, K) and image features (N, D) of the plain view.
    """
    wanted = ensembles_named(trainer.cfg.TEST.ENSEMBLE)
    rows = text_rows(trainer) if any(one.texts for one in wanted) else None
    for ensemble in wanted:
        views = view_loaders(trainer, loader, ensemble)
        members = map(collect, views) if ensemble.of_views else iter([plain])
        total, n = torch.zeros_like(plain[0]), 0
        for logits, features in members:
            if ensemble.texts and rows is not None:
                logits = text_logits(trainer.model, logits, features, rows)
            total, n = total + logits, n + 1
        yield str(ensemble), total / n


def view_loaders(trainer: Any, loader: Any, ensemble: Ensemble) -> Iterator[DataLoader[Any]]:
    """A loader of the same images for each view.

    Raises:
        UserError: If the loader has no transform to see them by.
    """
    cfg, dataset = trainer.cfg, loader.dataset
    plain = getattr(dataset, "transform", None)
    if plain is None:
        raise UserError(f"{_KEY} is {ensemble}, but these test images have no transform.")
    size = tuple(cfg.INPUT.SIZE)
    if isinstance(plain, View):
        side, plain = plain.side, plain.plain
    else:
        side = max(size)
    if ensemble.crops:
        side = max(size) + crop_margin(trainer)
    places = PLACES if ensemble.crops else (CENTRE,)
    for place, mirrored in product(places, (False, True) if ensemble.flip else (False,)):
        seen = copy.copy(dataset)
        seen.transform = View(side, size, cfg.INPUT.INTERPOLATION, plain, place, mirrored)
        yield DataLoader(
            seen,
            loader.batch_size,
            num_workers=loader.num_workers,
            collate_fn=loader.collate_fn,
            pin_memory=loader.pin_memory,
        )


def crop_margin(trainer: Any) -> int:
    """``TEST.CROP_MARGIN``; 0: one and a half patches, so that crops cut the image elsewhere.

    LIFT's are 24 pixels for patches of 16 and 21 for those of 14; 24 for a ResNet of 224 pixels.
    """
    given = trainer.cfg.TEST.CROP_MARGIN
    patch = trainer.model.image_encoder.patch
    if given or patch:
        return given or round(1.5 * patch)
    return round(max(trainer.cfg.INPUT.SIZE) * 24 / 224)
