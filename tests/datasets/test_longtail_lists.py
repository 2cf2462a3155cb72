"""ImageNet-LT, Places-LT and iNaturalist 2018 on miniatures of their layouts."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from data_cfg import make_cfg
from mini_trees import WNID_LINES, WNIDS, put, text

from npt_plugin.datasets.list_format import label_numbers, read_rows, to_records
from npt_plugin.datasets.longtail_lists import group_sizes
from npt_plugin.datasets.names import reader
from npt_plugin.datasets.source import Record
from npt_plugin.errors import UserError


def _read(name: str, root: Path, **keys: Any) -> Any:
    return reader(name)(make_cfg(root, **keys))


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
    data = _read("ImageNetLT", tmp_path)
    assert data.classnames == ["tench", "goldfish", "Dalmatian", "chain-link fence", "soccer ball"]
    assert [Counter(i.label for i in data.train_x)[k] for k in range(5)] == [10, 8, 6, 4, 2]
    assert len(data.val) == len(data.test) == 5
    few = _read("ImageNetLT", tmp_path, NUM_SHOTS=4, SUBSAMPLE_CLASSES="base")
    assert Counter(i.label for i in few.train_x) == {0: 4, 1: 4, 2: 4}
    (tmp_path / "imagenet/classnames.txt").write_text("n01440764 tench\n")
    with pytest.raises(UserError, match="do not list the folder 'n01443537'"):
        _read("ImageNetLT", tmp_path)
    (tmp_path / "imagenet/classnames.txt").unlink()
    with pytest.raises(UserError, match="class names.* is missing"):
        _read("ImageNetLT", tmp_path)


def test_places_lt(tmp_path: Path) -> None:
    for part, count in (("train", 3), ("val", 1), ("test", 2)):
        lines = []
        for label, scene in enumerate(["airfield", "apartment_building-outdoor"]):
            for number in range(count):
                folder = "train" if part == "train" else "val"
                lines.append(f"{folder}/{scene}/{part} {number}.jpg {label}")
                put(tmp_path / "places365" / lines[-1].rsplit(" ", 1)[0])
        text(tmp_path / f"places-lt/Places_LT_{part}.txt", lines)
    data = _read("PlacesLT", tmp_path)
    assert data.classnames == ["airfield", "apartment building-outdoor"]
    assert [len(data.train_x), len(data.val), len(data.test)] == [6, 2, 4]
    names = ["airfield air field", "apartment_building-outdoor outdoor apartment building"]
    text(tmp_path / "places-lt/classnames.txt", names)
    named = _read("PlacesLT", tmp_path)
    assert named.classnames == ["air field", "outdoor apartment building"]


def test_inaturalist_lists_and_competition_json_agree(tmp_path: Path) -> None:
    base = tmp_path / "inaturalist2018"
    species = ["Aves bird", "Plantae rose", "Insecta bee"]
    base.mkdir()
    (base / "categories.json").write_text(
        json.dumps([{"id": i, "name": name} for i, name in enumerate(species)][::-1])
    )
    for part, count in (("train", 4), ("val", 1)):
        images, annotations, lines = [], [], []
        for label in range(3):
            for number in range(count):
                file = f"train_val2018/Plantae/{label}/{part}{number}.jpg"
                put(base / file)
                images.append({"id": len(images) + 7, "file_name": file})
                annotations.append({"image_id": images[-1]["id"], "category_id": label})
                lines.append(f"{file} {label}")
        (base / f"{part}2018.json").write_text(
            json.dumps({"images": images, "annotations": annotations})
        )
        text(base / f"lists/iNaturalist18_{part}.txt", lines)
    by_json = _read("INaturalist2018", tmp_path)
    for file in (base / "lists").iterdir():
        file.rename(base / file.name)
    by_list = _read("INaturalist2018", tmp_path)
    assert by_list.classnames == by_json.classnames == species
    assert [i.impath for i in by_list.train_x] == [i.impath for i in by_json.train_x]
    assert [len(by_list.train_x), len(by_list.test)] == [12, 3]
    assert by_list.val is None
    for file in base.glob("*train*"):
        if file.is_file():
            file.unlink()
    with pytest.raises(UserError, match="neither 'iNaturalist18_train.txt' nor"):
        _read("INaturalist2018", tmp_path)


def test_groups_are_by_training_count() -> None:
    sizes = [1280, 101, 100, 20, 19, 5]
    records = [Record("", label, "") for label, n in enumerate(sizes) for _ in range(n)]
    assert group_sizes(records) == (2, 2, 2)


def test_list_round_trip_of_a_long_tail(tmp_path: Path) -> None:
    """Counts and groups of CIFAR100-LT, IR 100, survive the list format: 35 / 35 / 30 classes."""
    sizes = [int(500 * 0.01 ** (i / 99)) for i in range(100)]
    lines = [f"train/c {k}/{i}.jpg {k}" for k, n in enumerate(sizes) for i in range(n)]
    text(tmp_path / "l.txt", lines)
    rows = read_rows(str(tmp_path / "l.txt"))
    records = to_records(rows, label_numbers(rows), [f"c {k}" for k in range(100)])
    assert len(records) == 10_847
    assert group_sizes(records) == (35, 35, 30)


def test_a_gap_in_the_labels_is_named(tmp_path: Path) -> None:
    text(tmp_path / "places-lt/Places_LT_train.txt", ["train/a/1.jpg 0", "train/c/1.jpg 2"])
    text(tmp_path / "places-lt/Places_LT_val.txt", ["val/a/1.jpg 0"])
    text(tmp_path / "places-lt/Places_LT_test.txt", ["val/a/1.jpg 0"])
    with pytest.raises(UserError, match="label 1 has no training row"):
        _read("PlacesLT", tmp_path)
