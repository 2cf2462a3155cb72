from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from mini_trees import WNID_LINES, WNIDS, put, text
from reader_checks import read

from npt_plugin.errors import UserError


def test_imagenet_lt(tmp_path: Path) -> None:
    text(tmp_path / "imagenet/classnames.txt", WNID_LINES)
    lines: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for label, wnid in enumerate(WNIDS):
        for number in range(10 - 2 * label):
            lines["train"].append(f"train/{wnid}/{wnid}_{number}.JPEG {label}")
        lines["val"].append(f"train/{wnid}/{wnid}_val.JPEG {label}")  # val points into train
        lines["test"].append(f"val/{wnid}/ILSVRC2012_val_{label:08d}.JPEG {label}")
    for part, content in lines.items():
        text(tmp_path / f"imagenet-lt/ImageNet_LT_{part}.txt", content)
        for line in content:
            put(tmp_path / "imagenet/images" / line.rsplit(" ", 1)[0])
    data = read("ImageNetLT", tmp_path)
    assert data.classnames == ["tench", "goldfish", "Dalmatian", "chain-link fence", "soccer ball"]
    assert [Counter(i.label for i in data.train_x)[k] for k in range(5)] == [10, 8, 6, 4, 2]
    assert len(data.val) == len(data.test) == 5
    few = read("ImageNetLT", tmp_path, NUM_SHOTS=4, SUBSAMPLE_CLASSES="base")
    assert Counter(i.label for i in few.train_x) == {0: 4, 1: 4, 2: 4}
    (tmp_path / "imagenet/classnames.txt").write_text("n01440764 tench\n")
    with pytest.raises(UserError, match="do not list the folder 'n01443537'"):
        read("ImageNetLT", tmp_path)
    (tmp_path / "imagenet/classnames.txt").unlink()
    with pytest.raises(UserError, match="class names.* is missing"):
        read("ImageNetLT", tmp_path)
