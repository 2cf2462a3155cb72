"""ImageNet-A: natural images of 200 classes that fool classifiers."""

from __future__ import annotations

from npt_plugin.datasets.imagenet_shift import ImageNetShift


class ImageNetA(ImageNetShift):
    """``imagenet-adversarial/{imagenet-a/<wnid>, classnames.txt}``.

    Source: Hendrycks et al., Natural Adversarial Examples, CVPR 2021.
    """

    dataset_dir = "imagenet-adversarial"
    image_dir = "imagenet-a"
    required = ("imagenet-a", "classnames.txt")
