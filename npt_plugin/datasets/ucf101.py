"""UCF101: 101 human actions, one middle frame per video."""

from __future__ import annotations

import re

from npt_plugin.datasets.source import Record
from npt_plugin.datasets.split_reader import Parts, SplitDataset
from npt_plugin.errors import UserError


class UCF101(SplitDataset):
    """``ucf101/{UCF-101-midframes/<Action_Name>, ucfTrainTestlist, split_zhou_UCF101.json}``.

    Source: Soomro, Zamir, Shah, UCF101, 2012.
    """

    dataset_dir = "ucf101"
    image_dir = "UCF-101-midframes"
    required = ("UCF-101-midframes",)

    def draw_split(self) -> Parts:
        """From the first of the three official splits."""
        labels = {}
        for line in self.lines("ucfTrainTestlist/classInd.txt"):
            number, action = line.split(" ")
            labels[action] = int(number) - 1
        return self.split_official(
            self.listed("trainlist01.txt", labels), self.listed("testlist01.txt", labels)
        )

    def listed(self, file_name: str, labels: dict[str, int]) -> list[Record]:
        """Lines ``<Action>/<video>.avi[ <class>]``; ``HandStandPushups`` becomes words."""
        records = []
        for line in self.lines(f"ucfTrainTestlist/{file_name}"):
            action, _, video = line.split(" ")[0].partition("/")
            if action not in labels:
                raise UserError(
                    f"{self.registry_name()}: {file_name} names the action '{action}', which "
                    "classInd.txt does not list."
                )
            name = "_".join(re.findall("[A-Z][^A-Z]*", action))
            frame = video.replace(".avi", ".jpg")
            records.append(Record(f"{name}/{frame}", labels[action], name))
        return records
