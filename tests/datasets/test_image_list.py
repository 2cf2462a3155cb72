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


def _list(root: Path, **keys: Any) -> Any:
    return reader("List")(make_cfg(root, **keys))


def test_list_format_keeps_spaces_in_paths(tmp_path: Path) -> None:
    class_folders(tmp_path, {"a b": 6, "c": 4})
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
    class_folders(tmp_path, {"x": 8})
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
    class_folders(tmp_path, {"x": 12})
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


def test_the_shipped_yaml_lets_a_test_part_be_divided_off(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    class_folders(tmp_path, {"x": 20})
    lines = [f"x/bild {i:03d}.JPG {i % 2}" for i in range(20)]
    (tmp_path / "train.txt").write_text("\n".join(lines))
    cfg = make_cfg(tmp_path).clone()
    cfg.defrost()
    cfg.merge_from_file(str(Path(__file__).parents[2] / "configs/datasets/list.yaml"))
    data = reader("List")(cfg)
    assert [len(data.train_x), len(data.val), len(data.test)] == [10, 4, 6]
    assert "there is no test part; each class is divided" in capsys.readouterr().out


def test_windows_paths_in_a_csv(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    class_folders(tmp_path, {"x": 18})
    rows = ["path,label", *(f"x\\bild {i:03d}.JPG,{i % 2}" for i in range(18))]
    (tmp_path / "all.csv").write_text("\n".join(rows))
    data = _list(tmp_path, TRAIN_LIST="all.csv")
    assert len(data.train_x) + len(data.val) + len(data.test) == 18
    assert "18 of 18 paths in 'all.csv' are written with backslashes" in capsys.readouterr().out
    (tmp_path / "all.csv").write_text("path,label\nC:\\data\\a.jpg,0\nx\\no.jpg,0\n")
    with pytest.raises(UserError, match=r"2 of 2 images are missing .*written with backslashes"):
        _list(tmp_path, TRAIN_LIST="all.csv", TEST_LIST="all.csv")


def _split(parts: dict[str, int]) -> dict[str, list]:
    names = ["late riser", "early_bird"]
    return {
        part: [[f"a b/bild {i:03d}.JPG", i % 2, names[i % 2]] for i in range(number)]
        for part, number in parts.items()
    }


def test_a_split_file_as_the_coop_family_has_them(tmp_path: Path) -> None:
    class_folders(tmp_path, {"a b": 12})
    (tmp_path / "mine.JSON").write_text(json.dumps(_split({"train": 6, "val": 4, "test": 12})))
    data = _list(tmp_path, TRAIN_LIST="mine.JSON")
    assert data.classnames == ["late riser", "early_bird"]  # by label, not by the alphabet
    assert [len(data.train_x), len(data.val), len(data.test)] == [6, 4, 12]
    assert data.train_x[1].impath == str(tmp_path / "a b/bild 001.JPG")
    assert len(_list(tmp_path, TRAIN_LIST="mine.JSON", NUM_SHOTS=1).train_x) == 2
    (tmp_path / "small.json").write_text(json.dumps(_split({"train": 6, "val": 4, "test": 0})))
    assert len(_list(tmp_path, TRAIN_LIST="small.json").test) == 4  # said to be val's


@pytest.mark.parametrize(
    ("content", "keys", "sentence"),
    [
        ('{"train": []}', {}, "has no part called val or test"),
        ('{"train": [["a.jpg", 0]], "val": [], "test": []}', {}, "is not .path, label, class name"),
        ("<html>", {}, "not valid JSON"),
        (None, {}, "cannot be read .No such file"),
        ("{}", {"TEST_LIST": "t.csv"}, "leave DATASET.TEST_LIST 't.csv' out"),
        (
            '{"train": [["a.jpg", 0, "x"], ["b.jpg", 0, "y"]], "val": [], "test": []}',
            {},
            "label 0 is called both 'x' and 'y'",
        ),
    ],
)
def test_split_files_that_are_none(
    tmp_path: Path, content: str | None, keys: dict[str, str], sentence: str
) -> None:
    if content is not None:
        (tmp_path / "s.json").write_text(content)
    with pytest.raises(UserError, match=sentence):
        _list(tmp_path, TRAIN_LIST="s.json", **keys)
