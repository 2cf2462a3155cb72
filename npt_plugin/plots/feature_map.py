"""Images and texts in two dimensions: head and tail by colour, some classes of each by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from npt_plugin.evaluation.groups import GROUPS
from npt_plugin.plots.style import colour, marker, new_figure, short
from npt_plugin.plots.titles import heading, of_run
from npt_plugin.runs.predictions import Predictions
from npt_plugin.runs.record import Record

if TYPE_CHECKING:  # matplotlib is optional
    from matplotlib.figure import Figure

_NAMED = 3
"""Classes named at each end."""

_MOST_IMAGES = 1500
_GREY = "0.55"


def feature_map(kept: Predictions, record: Record, method: str = "pca") -> Figure:
    """Image features (small) and text features (large) of all classes.

    The colour is the class's group by training images: many, medium or few. The three most frequent
    and the three rarest classes have shapes of their own and are named with their number of images;
    equally frequent ones come in the order of the dataset. Classes that were not trained on (new)
    have no frequency: they are grey, and the first ones are named. Of more than 1,500 images every
    n-th is drawn.

    Each side is centred by itself first: image and text lie far apart (the modality gap), which
    would be all one sees.

    Args:
        kept: The run's predictions.
        record: The run's record.
        method: ``"pca"`` or ``"tsne"``.

    Returns:
        The figure.
    """
    some = _some(len(kept.labels))
    labels, images, texts = kept.labels[some], kept.image_features[some], kept.text_features
    both = torch.cat([images - images.mean(dim=0), texts - texts.mean(dim=0)])
    flat = (_tsne(both) if method == "tsne" else _pca(both)).numpy()  # (M + K, 2)
    trained = _trained(kept, record)
    named = _named(kept.class_names, trained)
    figure, (axis,) = new_figure(8.4, 5.0)
    for k in sorted(range(len(texts)), key=lambda k: k in named):  # named ones on top
        shape = marker(named.index(k)) if k in named else "o"
        look = {"color": _colour(trained.get(k)), "marker": shape}
        points = flat[: len(labels)][(labels == k).numpy()]
        axis.scatter(*points.T, s=16 if k in named else 7, alpha=0.6, linewidths=0, **look)
        size = 150 if k in named else 40
        at = flat[len(labels) + k]
        axis.scatter(*at, s=size, edgecolors="black", linewidths=1.2, zorder=3, **look)
    space = "t-SNE" if method == "tsne" else "component"
    axis.set(xlabel=f"{space} 1", ylabel=f"{space} 2")
    _legend(figure, kept.class_names, trained, named)
    drawn = "" if len(some) == len(kept.labels) else f", {len(some)} of {len(kept.labels)} images"
    name = "t-SNE" if method == "tsne" else "Principal components"
    what = f"{name} of image (small) and text features (large, outlined){drawn}"
    heading(figure, what, of_run(record))
    return figure


def _trained(kept: Predictions, record: Record) -> dict[int, tuple[int, str]]:
    """Training images and group by class; nothing of classes that were not trained on."""
    if record.classes == "new" or not record.per_class:
        return {}
    known = {c["name"]: (c["train"], c["group"]) for c in record.per_class}
    return {k: known[name] for k, name in enumerate(kept.class_names) if name in known}


def _named(names: list[str], trained: dict[int, tuple[int, str]]) -> list[int]:
    """Classes with a name: those at both ends by training images, or the first ones."""
    order = sorted(range(len(names)), key=lambda k: -trained[k][0] if k in trained else 0)
    if len(order) <= 2 * _NAMED or not trained:
        return order[: 2 * _NAMED]
    return order[:_NAMED] + order[-_NAMED:]


def _colour(trained: tuple[int, str] | None) -> str:
    return _GREY if trained is None else colour(GROUPS.index(trained[1]))


def _legend(
    figure: Figure, names: list[str], trained: dict[int, tuple[int, str]], named: list[int]
) -> None:
    from matplotlib.lines import Line2D

    look: dict[str, Any] = {"linestyle": "", "markersize": 7}
    handles, labels = [], []
    for place, k in enumerate(named):
        shown = short([names[k]])[0]
        handles.append(Line2D([], [], marker=marker(place), color=_colour(trained.get(k)), **look))
        labels.append(f"{shown}, {_images(trained[k][0])}" if k in trained else shown)
    groups = {group for _, group in trained.values()}
    for number, group in enumerate(GROUPS):
        if group in groups:
            handles.append(
                Line2D([], [], marker="o", color=colour(number), **{**look, "markersize": 4})
            )
            labels.append(f"other {group}-shot")
    if not trained:
        handles.append(Line2D([], [], marker="o", color=_GREY, **{**look, "markersize": 4}))
        labels.append("other classes")
    title = "most frequent, then rarest" if trained else "the first classes"
    figure.legend(handles, labels, loc="outside right upper", frameon=False, title=title)


def _images(number: int) -> str:
    return f"{number} image{'s' if number != 1 else ''}"


def _some(images: int) -> Tensor:
    """Every n-th image, so that there are at most ``_MOST_IMAGES``."""
    return torch.arange(0, images, -(-images // _MOST_IMAGES))


def _pca(features: Tensor) -> Tensor:
    centred = features.double() - features.double().mean(dim=0)
    left, singular, _ = torch.linalg.svd(centred, full_matrices=False)
    return left[:, :2] * singular[:2]


def _tsne(features: Tensor) -> Tensor:
    from sklearn.manifold import TSNE  # here, because importing it takes a second

    perplexity = min(30.0, (len(features) - 1) / 3)
    model = TSNE(2, perplexity=perplexity, init="pca", random_state=0)
    return torch.from_numpy(model.fit_transform(features.double().numpy()))
