"""SUN397: 397 scene categories, some of them nested (``/c/church/indoor``)."""

from __future__ import annotations

from npt_plugin.datasets.source import Record
from npt_plugin.datasets.split_reader import Parts, SplitDataset
from npt_plugin.errors import UserError


class SUN397(SplitDataset):
    """``sun397/{SUN397/<letter>/<scene>[/<part>], ClassName.txt, split_zhou_SUN397.json}``.

    Source: Xiao et al., SUN Database, CVPR 2010.
    """

    dataset_dir = "sun397"
    image_dir = "SUN397"
    required = ("SUN397",)

    def draw_split(self) -> Parts:
        """From the first of the ten official partitions."""
        labels = {line[1:]: label for label, line in enumerate(self.lines("ClassName.txt"))}
        return self.split_official(
            self.listed("Training_01.txt", labels), self.listed("Testing_01.txt", labels)
        )

    def listed(self, file_name: str, labels: dict[str, int]) -> list[Record]:
        """Lines ``/<letter>/<scene>[/<part>]/<image>``."""
        records = []
        for line in self.lines(file_name):
            path = line[1:]
            folder = path.rpartition("/")[0]
            if folder not in labels:
                raise UserError(
                    f"{self.registry_name()}: {file_name} names '{line}', whose folder is not in "
                    "ClassName.txt."
                )
            records.append(Record(path, labels[folder], scene_name(folder)))
        return records


def scene_name(folder: str) -> str:
    """``c/church/indoor`` becomes ``indoor church``: letter dropped, qualifiers first."""
    return " ".join(reversed(folder.split("/")[1:]))
