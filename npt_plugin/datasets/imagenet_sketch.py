"""ImageNet-Sketch: drawings of the 1,000 classes."""

from __future__ import annotations

from npt_plugin.datasets.imagenet_shift import ImageNetShift


class ImageNetSketch(ImageNetShift):
    """``imagenet-sketch/{images/<wnid>, classnames.txt}``.

    Source: Wang et al., Learning Robust Global Representations, NeurIPS 2019.
    """

    dataset_dir = "imagenet-sketch"
    image_dir = "images"
    required = ("images", "classnames.txt")
