"""Oxford-IIIT Pet: 37 breeds of cats and dogs."""

from __future__ import annotations

from npt_plugin.datasets.source import Record
from npt_plugin.datasets.split_reader import Parts, SplitDataset


class OxfordPets(SplitDataset):
    """``oxford_pets/{images, annotations, split_zhou_OxfordPets.json}``.

    Source: Parkhi et al., Cats and Dogs, CVPR 2012.
    """

    dataset_dir = "oxford_pets"
    image_dir = "images"
    required = ("images",)

    def draw_split(self) -> Parts:
        """From ``annotations/trainval.txt`` and ``annotations/test.txt``."""
        return self.split_official(self.listed("trainval.txt"), self.listed("test.txt"))

    def listed(self, file_name: str) -> list[Record]:
        """Lines ``<Breed_Name_12> <class, from 1> <species> <breed id>``."""
        records = []
        for line in self.lines(f"annotations/{file_name}"):
            image, label = line.split(" ")[:2]
            breed = image.rpartition("_")[0].lower()
            records.append(Record(f"{image}.jpg", int(label) - 1, breed))
        return records
