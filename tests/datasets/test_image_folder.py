from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from class_trees import class_folders
from data_cfg import make_cfg
from mini_trees import put

from npt_plugin.datasets.names import reader
from npt_plugin.errors import UserError


def _folder(root: Path, **keys: Any) -> Any:
    return reader("ImageFolder")(make_cfg(root, **keys))


def test_train_val_test_folders(tmp_path: Path) -> None:
    class_folders(tmp_path / "train", {"grüner Apfel": 20, "pear": 18})
    class_folders(tmp_path / "val", {"grüner Apfel": 6, "pear": 6})
    class_folders(tmp_path / "test", {"grüner Apfel": 3, "pear": 4})
    (tmp_path / "train/pear/notes.txt").write_text("no image")
    data = _folder(tmp_path, NUM_SHOTS=16, imbalance={"RATIO": 0.25})
    assert data.classnames == ["grüner Apfel", "pear"]
    assert Counter(i.label for i in data.train_x) == {0: 16, 1: 4}
    assert len(data.val) == 8 and len(data.test) == 7
    new = _folder(tmp_path, SUBSAMPLE_CLASSES="new")
    assert new.classnames == ["pear"] and {i.label for i in new.train_x} == {0}


def test_val_is_optional_and_serves_as_test(tmp_path: Path) -> None:
    class_folders(tmp_path / "a/train", {"x": 3, "y": 3})
    class_folders(tmp_path / "a/test", {"x": 2, "y": 2})
    assert _folder(tmp_path / "a").val is None
    class_folders(tmp_path / "b/train", {"x": 3, "y": 3})
    class_folders(tmp_path / "b/val", {"x": 2, "y": 2})
    data = _folder(tmp_path / "b")
    assert data.val is None and len(data.test) == 4
    class_folders(tmp_path / "c/train", {"x": 3})
    with pytest.raises(UserError, match="neither test nor val"):
        _folder(tmp_path / "c")


def test_one_folder_is_divided_once(tmp_path: Path) -> None:
    class_folders(tmp_path, {"cat": 20, "dog": 10, "owl": 10})
    first = _folder(tmp_path, seed=1)
    assert [len(first.train_x), len(first.val), len(first.test)] == [20, 8, 12]
    put(tmp_path / "cat/later.jpg")  # neither another seed nor a new file changes the split
    again = _folder(tmp_path, seed=2)
    assert [i.impath for i in again.test] == [i.impath for i in first.test]
    (tmp_path / "split_npt.json").unlink()
    (tmp_path / "cat/later.jpg").unlink()
    drawn = _folder(tmp_path, seed=7)  # drawn again: by SPLIT_SEED, not by the run's seed
    assert [i.impath for i in drawn.test] == [i.impath for i in first.test]
    (tmp_path / "split_npt.json").unlink()
    other = _folder(tmp_path, SPLIT_SEED=5)
    assert [i.impath for i in other.test] != [i.impath for i in first.test]


def test_class_name_file(tmp_path: Path) -> None:
    class_folders(tmp_path, {"n01": 6, "n02": 6})
    (tmp_path / "names.txt").write_text("n02 fire truck\nn01 sea horse\n")
    assert _folder(tmp_path, CLASSNAMES_FILE="names.txt").classnames == ["sea horse", "fire truck"]
    (tmp_path / "names.txt").write_text("n02 fire truck\n")
    with pytest.raises(UserError, match="does not list the folder 'n01'"):
        _folder(tmp_path, CLASSNAMES_FILE="names.txt")


def test_folder_mistakes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist; set DATASET.ROOT"):
        _folder(tmp_path / "none")
    with pytest.raises(UserError, match="holds no class folder"):
        _folder(tmp_path)
    class_folders(tmp_path / "e", {"a": 6, "b": 0})
    with pytest.raises(UserError, match="class folder .*b' holds no image"):
        _folder(tmp_path / "e")
    class_folders(tmp_path / "f", {"a": 6, "b": 2})
    with pytest.raises(UserError, match="Class 'b' has 2 images, too few"):
        _folder(tmp_path / "f")
    assert not list(tmp_path.rglob("*.json"))  # nothing half-written
    class_folders(tmp_path / "g/train", {"a": 6})
    class_folders(tmp_path / "g/test", {"a": 6, "b": 2})
    with pytest.raises(UserError, match=r"class 1 \('b'\) has no training image"):
        _folder(tmp_path / "g")
    data = _folder(tmp_path / "g", ALLOW_EMPTY_CLASSES=True)
    assert data.classnames == ["a", "b"] and data.num_classes == 2


def test_the_saved_split_is_plain_json(tmp_path: Path) -> None:
    class_folders(tmp_path, {"cat": 6})
    _folder(tmp_path)
    content = json.loads((tmp_path / "split_npt.json").read_text())
    assert set(content) == {"train", "val", "test"}
    assert all(not p.startswith("/") for part in content.values() for p, _, _ in part)


def _said(capsys: pytest.CaptureFixture, word: str) -> list[str]:
    return [line for line in capsys.readouterr().out.splitlines() if word in line]


def test_photos_that_come_later_are_counted_and_not_used(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    class_folders(tmp_path, {"cat": 20, "dog": 10})
    first = _folder(tmp_path)
    assert not _said(capsys, "came after")
    for number in range(3):
        put(tmp_path / f"dog/later {number}.jpg")
    again = _folder(tmp_path)
    (line,) = _said(capsys, "came after")
    assert "3 image(s) came after 'split_npt.json'" in line and "'dog/later 0.jpg'" in line
    assert "delete that file" in line
    for part in ("train_x", "val", "test"):
        assert [i.impath for i in getattr(again, part)] == [i.impath for i in getattr(first, part)]


def test_a_class_that_comes_later_is_refused(tmp_path: Path) -> None:
    class_folders(tmp_path, {"cat": 8, "dog": 8})
    _folder(tmp_path)
    (tmp_path / "empty").mkdir()
    _folder(tmp_path)
    class_folders(tmp_path, {"ape": 5, "owl": 4})
    with pytest.raises(UserError, match=r"2 class folder.s. with 9 image.s. came after .*'ape'"):
        _folder(tmp_path)
    (tmp_path / "split_npt.json").unlink()
    (tmp_path / "empty").rmdir()
    assert _folder(tmp_path).classnames == ["ape", "cat", "dog", "owl"]


def test_an_image_that_has_gone_is_refused(tmp_path: Path) -> None:
    class_folders(tmp_path, {"cat": 8, "dog": 8})
    _folder(tmp_path)
    (tmp_path / "cat/bild 003.JPG").rename(tmp_path / "cat/renamed.jpg")
    with pytest.raises(UserError, match="1 of .* images are missing .*cat/bild 003.JPG"):
        _folder(tmp_path)


@pytest.mark.parametrize("parts", [False, True])
def test_what_is_left_out_is_counted_with_the_reason(
    tmp_path: Path, parts: bool, capsys: pytest.CaptureFixture
) -> None:
    places = [tmp_path / "train", tmp_path / "test"] if parts else [tmp_path]
    for place in places:
        class_folders(place, {"cat": 6, "dog": 6})
        put(place / "cat/more/deep/a.jpg")
        put(place / "loose.png")
        (place / "dog/phone.heic").write_bytes(b"not read")
        (place / "dog/notes.txt").write_text("no image")
    if parts:
        put(tmp_path / "valid/cat/a.jpg")  # it should have been called val
    data = _folder(tmp_path)
    assert len(data.train_x) + len(data.val or []) + len(data.test) == 12 * len(places)
    out = capsys.readouterr().out
    n = len(places)
    assert f"{n} image(s) in folders inside a class folder are left out" in out
    assert f"{n + parts} image(s) that belong to no class are left out" in out
    assert f"{n} image(s) of formats that are not read here are left out ({n} .heic)" in out
    assert f"{n} file(s) that are no images are left out ({n} .txt)" in out


def test_without_test_images_the_validation_images_serve_and_it_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    class_folders(tmp_path / "train", {"x": 3})
    class_folders(tmp_path / "val", {"x": 2})
    _folder(tmp_path)
    assert _said(capsys, "there is no test image; the validation images are tested on")
