from __future__ import annotations

from pathlib import Path

from mini_trees import put, text
from reader_checks import read


def test_places_lt(tmp_path: Path) -> None:
    for part, count in (("train", 3), ("val", 1), ("test", 2)):
        lines = []
        for label, scene in enumerate(["airfield", "apartment_building-outdoor"]):
            for number in range(count):
                folder = "train" if part == "train" else "val"
                lines.append(f"{folder}/{scene}/{part} {number}.jpg {label}")
                put(tmp_path / "places365" / lines[-1].rsplit(" ", 1)[0])
        text(tmp_path / f"places-lt/Places_LT_{part}.txt", lines)
    data = read("PlacesLT", tmp_path)
    assert data.classnames == ["airfield", "apartment building-outdoor"]
    assert [len(data.train_x), len(data.val), len(data.test)] == [6, 2, 4]
    names = ["airfield air field", "apartment_building-outdoor outdoor apartment building"]
    text(tmp_path / "places-lt/classnames.txt", names)
    named = read("PlacesLT", tmp_path)
    assert named.classnames == ["air field", "outdoor apartment building"]
