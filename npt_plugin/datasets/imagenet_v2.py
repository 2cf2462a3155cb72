"""ImageNetV2 (matched frequency): a second test set for ImageNet."""

from __future__ import annotations

from npt_plugin.datasets.imagenet_shift import ImageNetShift


class ImageNetV2(ImageNetShift):
    """``imagenetv2/{imagenetv2-matched-frequency-format-val/<label>, classnames.txt}``.

    Source: Recht et al., Do ImageNet Classifiers Generalize to ImageNet?, ICML 2019.
    """

    dataset_dir = "imagenetv2"
    image_dir = "imagenetv2-matched-frequency-format-val"
    required = ("imagenetv2-matched-frequency-format-val", "classnames.txt")

    def classes(self, names: dict[str, str]) -> list[tuple[str, str]]:
        """Folders are the label numbers; names follow the order of ``classnames.txt``."""
        return [(str(label), classname) for label, classname in enumerate(names.values())]
