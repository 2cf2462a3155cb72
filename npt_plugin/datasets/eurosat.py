"""EuroSAT: 10 kinds of land use seen from Sentinel-2."""

from __future__ import annotations

from npt_plugin.datasets.split_reader import Parts, SplitDataset

RENAMED = {
    "AnnualCrop": "Annual Crop Land",
    "Forest": "Forest",
    "HerbaceousVegetation": "Herbaceous Vegetation Land",
    "Highway": "Highway or Road",
    "Industrial": "Industrial Buildings",
    "Pasture": "Pasture Land",
    "PermanentCrop": "Permanent Crop Land",
    "Residential": "Residential Buildings",
    "River": "River",
    "SeaLake": "Sea or Lake",
}


class EuroSAT(SplitDataset):
    """``eurosat/{2750/<class>, split_zhou_EuroSAT.json}``.

    Source: Helber et al., IEEE JSTARS 2019.
    """

    dataset_dir = "eurosat"
    image_dir = "2750"
    required = ("2750",)

    def draw_split(self) -> Parts:
        """By class folder, with readable names."""
        return self.split_folders(renamed=RENAMED)
