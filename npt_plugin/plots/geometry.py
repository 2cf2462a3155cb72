"""Directions of class texts: Gram matrices before and after, and their target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from npt_plugin.geometry import simplex_gram
from npt_plugin.plots.style import new_figure, short
from npt_plugin.plots.titles import heading, of_run
from npt_plugin.runs.record import Record

if TYPE_CHECKING:  # matplotlib is optional
    from matplotlib.figure import Figure

_MOST_NAMES = 24


def text_gram(before: Tensor, after: Tensor, class_names: list[str], record: Record) -> Figure:
    """Cosines between centred class texts: hand-written prompt, learned prompt, ETF target.

    Args:
        before: (K, D) zero-shot text features.
        after: (K, D) learned ones.
        class_names: K names.
        record: The run's record.

    Returns:
        The figure, three panels.
    """
    k = len(after)
    grams = [_centred_gram(before), _centred_gram(after), simplex_gram(k)]
    titles = ("hand-written prompt", "learned prompt", "ETF target")
    figure, axes = new_figure(11.0, 4.3, columns=3)
    for number, (axis, gram, title) in enumerate(zip(axes, grams, titles, strict=True)):
        image = axis.imshow(gram.float().numpy(), cmap="PuOr_r", vmin=-1, vmax=1)
        spread = gram[~torch.eye(k, dtype=torch.bool)]
        note = f"off-diagonal {float(spread.mean()):.2f} ± {float(spread.std(correction=0)):.2f}"
        axis.set_title(f"{title}\n{note}", fontsize=9)
        axis.grid(visible=False)
        if k <= _MOST_NAMES:
            axis.set_xticks(
                range(k),
                short(class_names, 12),
                rotation=60,
                ha="right",
                fontsize=7,
                rotation_mode="anchor",
            )
            axis.set_yticks(
                range(k), short(class_names, 12) if number == 0 else [""] * k, fontsize=7
            )
    figure.colorbar(image, ax=axes, shrink=0.8, label="cosine of centred features")
    heading(figure, "Text features and their target", of_run(record))
    return figure


def _centred_gram(features: Tensor) -> Tensor:
    centred = features.double() - features.double().mean(dim=0)
    unit = torch.nn.functional.normalize(centred, dim=1)
    return unit @ unit.T  # (K, K)
