"""``ImageFolder`` and ``List``: data of one's own, without Python."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from data_cfg import make_cfg
from mini_trees import put

from npt_plugin.datasets.names import reader
from npt_plugin.errors import UserError


def _folder(root: Path, **keys: Any) -> Any:
    return reader("ImageFolder")(make_cfg(root, **keys))


def _list(root: Path, **keys: Any) -> Any:
    return reader("List")(make_cfg(root, **keys))


def _tree(base: Path, sizes: dict[str, int]) -> None:
    for name, size in sizes.items():
        base.joinpath(name).mkdir(parents=True, exist_ok=True)
        for number in range(size):
            put(base / name / f"bild {number:03d}.JPG")


def test_train_val_test_folders(tmp_path: Path) -> None:
    _tree(tmp_path / "train", {"grüner Apfel": 20, "pear": 18})
    _tree(tmp_path / "val", {"grüner Apfel": 6, "pear": 6})
    _tree(tmp_path / "test", {"grüner Apfel": 3, "pear": 4})
    (tmp_path / "train/pear/notes.txt").write_text("no image")
    data = _folder(tmp_path, NUM_SHOTS=16, imbalance={"RATIO": 0.25})
    assert data.classnames == ["grüner Apfel", "pear"]
    assert Counter(i.label for i in data.train_x) == {0: 16, 1: 4}
    assert len(data.val) == 8 and len(data.test) == 7
    new = _folder(tmp_path, SUBSAMPLE_CLASSES="new")
    assert new.classnames == ["pear"] and {i.label for i in new.train_x} == {0}


def test_val_is_optional_and_serves_as_test(tmp_path: Path) -> None:
    _tree(tmp_path / "a/train", {"x": 3, "y": 3})
    _tree(tmp_path / "a/test", {"x": 2, "y": 2})
    assert _folder(tmp_path / "a").val is None
    _tree(tmp_path / "b/train", {"x": 3, "y": 3})
    _tree(tmp_path / "b/val", {"x": 2, "y": 2})
    data = _folder(tmp_path / "b")
    assert data.val is None and len(data.test) == 4
    _tree(tmp_path / "c/train", {"x": 3})
    with pytest.raises(UserError, match="neither test nor val"):
        _folder(tmp_path / "c")


def test_one_folder_is_divided_once(tmp_path: Path) -> None:
    _tree(tmp_path, {"cat": 20, "dog": 10, "owl": 10})
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
    _tree(tmp_path, {"n01": 6, "n02": 6})
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
    _tree(tmp_path / "e", {"a": 6, "b": 0})
    with pytest.raises(UserError, match="class folder .*b' holds no image"):
        _folder(tmp_path / "e")
    _tree(tmp_path / "f", {"a": 6, "b": 2})
    with pytest.raises(UserError, match="Class 'b' has 2 images, too few"):
        _folder(tmp_path / "f")
    assert not list(tmp_path.rglob("*.json"))  # nothing half-written
    _tree(tmp_path / "g/train", {"a": 6})
    _tree(tmp_path / "g/test", {"a": 6, "b": 2})
    with pytest.raises(UserError, match=r"class 1 \('b'\) has no training image"):
        _folder(tmp_path / "g")
    data = _folder(tmp_path / "g", ALLOW_EMPTY_CLASSES=True)
    assert data.classnames == ["a", "b"] and data.num_classes == 2


def test_list_format_keeps_spaces_in_paths(tmp_path: Path) -> None:
    _tree(tmp_path, {"a b": 6, "c": 4})
    lines = [f"a b/bild {i:03d}.JPG 0" for i in range(6)]
    lines += [f"c/bild {i:03d}.JPG 1" for i in range(4)]
    (tmp_path / "train.txt").write_text("\n".join(lines[:4] + lines[6:8]) + "\n\n")
    (tmp_path / "test.txt").write_text("\n".join(lines[4:6] + lines[8:]))
    (tmp_path / "names.txt").write_text("first class\nsecond\n")
    data = _list(
        tmp_path, TRAIN_LIST="train.txt", TEST_LIST="test.txt", CLASSNAMES_FILE="names.txt"
    )
    assert data.classnames == ["first class", "second"]
    assert data.train_x[3].impath == str(tmp_path / "a b/bild 003.JPG")
    assert [len(data.train_x), len(data.test)] == [6, 4]
    plain = _list(tmp_path, TRAIN_LIST="train.txt", TEST_LIST="test.txt")
    assert plain.classnames == ["class 0", "class 1"]


def test_csv_with_words_and_split_column(tmp_path: Path) -> None:
    _tree(tmp_path, {"x": 8})
    rows = ["split,Path,label"] + [
        f"{('train', 'valid', 'test')[i % 3]},x/bild {i:03d}.JPG,{'zebra' if i < 4 else 'ant'}"
        for i in range(8)
    ]
    (tmp_path / "all.csv").write_text("\n".join(rows), encoding="utf-8-sig")
    data = _list(tmp_path, TRAIN_LIST="all.csv")
    assert data.classnames == ["ant", "zebra"]
    assert [len(data.train_x), len(data.val), len(data.test)] == [3, 3, 2]
    shot = _list(tmp_path, TRAIN_LIST="all.csv", NUM_SHOTS=1, imbalance={"RATIO": 0.5})
    assert Counter(i.classname for i in shot.train_x) == {"ant": 1, "zebra": 1}


def test_one_list_is_divided_by_seed_whatever_its_order(tmp_path: Path) -> None:
    _tree(tmp_path, {"x": 12})
    lines = [f"x/bild {i:03d}.JPG {i % 2}" for i in range(12)]
    (tmp_path / "all.txt").write_text("\n".join(lines))
    one = _list(tmp_path, TRAIN_LIST="all.txt")
    (tmp_path / "all.txt").write_text("\n".join(reversed(lines)))
    two = _list(tmp_path, TRAIN_LIST="all.txt", seed=9)
    assert [i.impath for i in one.test] == [i.impath for i in two.test]
    assert [len(one.train_x), len(one.val), len(one.test)] == [6, 2, 4]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("t.txt", "x/a.jpg one\n", "line 1: 'x/a.jpg one' is not '<path> <integer label>'"),
        ("t.txt", "x/a.jpg\n", "line 1"),
        ("t.txt", "", "has no entry"),
        ("t.txt", "x/a.jpg 1\nx/b.jpg 2\n", "run from 1 to 2.*subtract 1"),
        ("t.txt", "x/a.jpg 0\nx/b.jpg 2\n", "label 1 is missing"),
        ("t.csv", "file,class\nx/a.jpg,0\n", "needs a header with the columns path and label"),
        ("t.csv", "path,label\nx/a.jpg,\n", "line 2: path or label is empty"),
        ("t.csv", "path,label,split\nx/a.jpg,0,dev\n", "split 'dev' is not train, val or test"),
        ("t.csv", "path,label\nx/a.jpg,0\nx/b.jpg,cat\n", "mix integers"),
        ("t.csv", "path,label,classname\nx/a,0,A\nx/b,0,B\n", "called both 'A' and 'B'"),
    ],
)
def test_list_mistakes(tmp_path: Path, name: str, content: str, sentence: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=sentence) as caught:
        _list(tmp_path, TRAIN_LIST=name)
    assert "\n" not in str(caught.value)


def test_more_list_mistakes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="TRAIN_LIST is empty"):
        _list(tmp_path)
    with pytest.raises(UserError, match="none.txt' cannot be read"):
        _list(tmp_path, TRAIN_LIST="none.txt")
    (tmp_path / "latin.txt").write_bytes("\xe4.jpg 0\n".encode("latin-1"))
    with pytest.raises(UserError, match="not UTF-8"):
        _list(tmp_path, TRAIN_LIST="latin.txt")
    (tmp_path / "t.txt").write_text("a.jpg 0\nb.jpg 1\n")
    (tmp_path / "names.txt").write_text("only one\n")
    with pytest.raises(UserError, match=r"Label 1 of 'b.jpg' is outside 0\.\.0"):
        _list(tmp_path, TRAIN_LIST="t.txt", CLASSNAMES_FILE="names.txt")
    (tmp_path / "names.txt").write_text("one\n\nthree\n")
    with pytest.raises(UserError, match="line 2: a class name is empty"):
        _list(tmp_path, TRAIN_LIST="t.txt", CLASSNAMES_FILE="names.txt")
    (tmp_path / "names.txt").write_text("a\na\n")
    put(tmp_path / "a.jpg")
    (tmp_path / "v.txt").write_text("a.jpg 0\n")
    with pytest.raises(UserError, match="1 of 2 images are missing .*'b.jpg'"):
        _list(tmp_path, TRAIN_LIST="t.txt", TEST_LIST="v.txt", CLASSNAMES_FILE="names.txt")


def test_duplicate_class_names_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    put(tmp_path / "a.jpg")
    (tmp_path / "t.txt").write_text("a.jpg 0\na.jpg 1\n")
    (tmp_path / "n.txt").write_text("missile\nMissile\n")
    _list(tmp_path, TRAIN_LIST="t.txt", TEST_LIST="t.txt", CLASSNAMES_FILE="n.txt")
    assert "classes 0, 1 are all called 'missile'" in capsys.readouterr().out


def test_the_saved_split_is_plain_json(tmp_path: Path) -> None:
    _tree(tmp_path, {"cat": 6})
    _folder(tmp_path)
    content = json.loads((tmp_path / "split_npt.json").read_text())
    assert set(content) == {"train", "val", "test"}
    assert all(not p.startswith("/") for part in content.values() for p, _, _ in part)
