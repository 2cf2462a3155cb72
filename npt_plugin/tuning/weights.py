"""Methods that let a part of CLIP's own weights learn."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from npt_plugin.errors import UserError
from npt_plugin.tuning.places import Places


def tune_all(places: Places) -> None:
    """Every weight of the tower: full fine-tuning."""
    _learn(places.weights())


def tune_last(places: Places, number: int) -> None:
    """The last blocks, and the LayerNorm behind them.

    Source: Partial-k, Jia et al., Visual Prompt Tuning, ECCV 2022, arXiv:2203.12119, section 4.1.

    Args:
        places: The tower.
        number: k.

    Raises:
        UserError: If the tower has fewer blocks.
    """
    if number > len(places.blocks):
        raise UserError(
            f"TRAINER.FINE_TUNE.LAST_K is {number}, but the {places.tower} tower has "
            f"{len(places.blocks)} blocks: give at most that."
        )
    for module in (*(block.module for block in places.blocks[-number:]), places.norm):
        if module is not None:
            _learn(module.parameters())


def tune_biases(places: Places) -> None:
    """Every bias, of the linear maps and of the norms: BitFit.

    In a ViT of L blocks of width W: 11 W a block, and 2 W outside.

    Source: Ben Zaken et al., BitFit, ACL 2022, arXiv:2106.10199, section 3.
    """
    for root in places.roots:
        _learn(p for name, p in root.named_parameters() if name.endswith("bias"))


def tune_norms(places: Places) -> None:
    """Scale and bias of every LayerNorm: 4 W a block, and 2 W each outside.

    Source: Basu et al., Strong Baselines for Parameter-Efficient Few-Shot Fine-Tuning, AAAI 2024,
    arXiv:2304.01917 (LN-Tune).
    """
    for norm in places.norms():
        _learn(norm.parameters())


def _learn(weights: Iterable[nn.Parameter]) -> None:
    for weight in weights:
        weight.requires_grad_(True)
