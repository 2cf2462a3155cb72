from __future__ import annotations

import json
from pathlib import Path

import pytest
from mini_trees import put, text
from reader_checks import read

from npt_plugin.errors import UserError


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
    by_json = read("INaturalist2018", tmp_path)
    for file in (base / "lists").iterdir():
        file.rename(base / file.name)
    by_list = read("INaturalist2018", tmp_path)
    assert by_list.classnames == by_json.classnames == species
    assert [i.impath for i in by_list.train_x] == [i.impath for i in by_json.train_x]
    assert [len(by_list.train_x), len(by_list.test)] == [12, 3]
    assert by_list.val is None
    for file in base.glob("*train*"):
        if file.is_file():
            file.unlink()
    with pytest.raises(UserError, match="neither 'iNaturalist18_train.txt' nor"):
        read("INaturalist2018", tmp_path)
