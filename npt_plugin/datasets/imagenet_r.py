"""ImageNet-R: renditions (art, toys, cartoons) of 200 classes."""

from __future__ import annotations

from npt_plugin.datasets.imagenet_shift import ImageNetShift


class ImageNetR(ImageNetShift):
    """``imagenet-rendition/{imagenet-r/<wnid>, classnames.txt}``.

    Source: Hendrycks et al., The Many Faces of Robustness, ICCV 2021.
    """

    dataset_dir = "imagenet-rendition"
    image_dir = "imagenet-r"
    required = ("imagenet-r", "classnames.txt")
