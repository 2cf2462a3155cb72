"""Directions of features: Gram matrices of texts and their target, maps of images and texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from npt_plugin.geometry import simplex_gram
from npt_plugin.plots.style import colour, marker, new_figure, short
from npt_plugin.runs.predictions import Predictions

if TYPE_CHECKING:  # matplotlib is optional
    from matplotlib.figure import Figure

_MOST_NAMES = 24
_MOST_CLASSES = 7


def text_gram(before: Tensor, after: Tensor, class_names: list[str]) -> Figure:
    """Cosines between centred class texts: hand-written prompt, learned prompt, ETF target.

    Args:
        before: (K, D) zero-shot text features.
        after: (K, D) learned ones.
        class_names: K names.

    Returns:
        The figure, three panels.
    """
    k = len(after)
    grams = [_centred_gram(before), _centred_gram(after), simplex_gram(k)]
    titles = ("hand-written prompt", "learned prompt", "ETF target")
    figure, axes = new_figure(11.0, 4.2, columns=3)
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
    return figure


def _centred_gram(features: Tensor) -> Tensor:
    centred = features.double() - features.double().mean(dim=0)
    unit = torch.nn.functional.normalize(centred, dim=1)
    return unit @ unit.T  # (K, K)


def feature_map(kept: Predictions, method: str = "pca") -> Figure:
    """Image features (dots) and text features (large marks) of up to 7 classes, in two dimensions.

    Each side is centred by itself first: image and text lie far apart (the modality gap), which
    would be all one sees.

    Args:
        kept: The run's predictions.
        method: ``"pca"`` or ``"tsne"``.

    Returns:
        The figure.
    """
    shown = range(min(_MOST_CLASSES, len(kept.class_names)))
    some = torch.isin(kept.labels, torch.tensor(list(shown)))
    labels, images = kept.labels[some], kept.image_features[some]  # (M,), (M, D)
    texts = kept.text_features[: len(shown)]
    both = torch.cat([images - images.mean(dim=0), texts - texts.mean(dim=0)])
    flat = (_tsne(both) if method == "tsne" else _pca(both)).numpy()  # (M + K, 2)
    figure, (axis,) = new_figure(7.6, 4.6)
    for k in shown:
        points = flat[: len(labels)][(labels == k).numpy()]
        name = short([kept.class_names[k]])[0]
        axis.scatter(
            *points.T, s=14, color=colour(k), marker=marker(k), alpha=0.55, label=name, linewidths=0
        )
        axis.scatter(
            *flat[len(labels) + k],
            s=150,
            color=colour(k),
            marker=marker(k),
            edgecolors="black",
            linewidths=1.4,
            zorder=3,
        )
    names = ("t-SNE 1", "t-SNE 2") if method == "tsne" else ("component 1", "component 2")
    axis.set(xlabel=names[0], ylabel=names[1])
    legend: Any = figure.legend(
        loc="outside right upper", frameon=False, title="small: images\nlarge: text"
    )
    for handle in legend.legend_handles:
        handle.set_alpha(1)
        handle.set_sizes([40])
    return figure


def _pca(features: Tensor) -> Tensor:
    centred = features.double() - features.double().mean(dim=0)
    left, singular, _ = torch.linalg.svd(centred, full_matrices=False)
    return left[:, :2] * singular[:2]


def _tsne(features: Tensor) -> Tensor:
    from sklearn.manifold import TSNE  # here, because importing it takes a second

    perplexity = min(30.0, (len(features) - 1) / 3)
    model = TSNE(2, perplexity=perplexity, init="pca", random_state=0)
    return torch.from_numpy(model.fit_transform(features.double().numpy()))
