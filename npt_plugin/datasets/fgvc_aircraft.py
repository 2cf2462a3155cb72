"""FGVC-Aircraft: 100 aircraft variants with official train, val and test lists."""

from __future__ import annotations

import os

from npt_plugin.datasets.base import FewShotDataset
from npt_plugin.datasets.source import Record, Source
from npt_plugin.datasets.split_reader import annotation_lines
from npt_plugin.errors import UserError


class FGVCAircraft(FewShotDataset):
    """``fgvc_aircraft/{images, variants.txt, images_variant_{train,val,test}.txt}``.

    Source: Maji et al., Fine-Grained Visual Classification of Aircraft, 2013.
    """

    dataset_dir = "fgvc_aircraft"
    image_dir = "images"
    required = ("images", "variants.txt")

    def read(self) -> Source:
        """The official lists; classes in the order of ``variants.txt``."""
        name = self.registry_name()
        variants = annotation_lines(name, os.path.join(self.dataset_dir, "variants.txt"))
        labels = {variant: label for label, variant in enumerate(variants)}
        train, val, test = (self.listed(part, labels) for part in ("train", "val", "test"))
        return Source(name, self.image_root, variants, train, val, test)

    def listed(self, part: str, labels: dict[str, int]) -> list[Record]:
        """Lines ``<image number> <variant name, may hold spaces>``."""
        path = os.path.join(self.dataset_dir, f"images_variant_{part}.txt")
        records = []
        for line in annotation_lines(self.registry_name(), path):
            image, _, variant = line.partition(" ")
            if variant not in labels:
                raise UserError(
                    f"{self.registry_name()}: '{path}' names the variant '{variant}', which "
                    "variants.txt does not list."
                )
            records.append(Record(f"{image}.jpg", labels[variant], variant))
        return records
