from __future__ import annotations

import json
from pathlib import Path

import pytest
from mini_trees import put

from npt_plugin.datasets.list_format import (
    Row,
    label_numbers,
    read_folder_names,
    read_names,
    read_rows,
    to_records,
    with_slashes,
)
from npt_plugin.errors import UserError


def test_a_list_line_ends_with_its_label(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("\ufeffa b/c d.jpg 3\n\n  e.jpg\t0 \n", encoding="utf-8")
    assert read_rows(str(tmp_path / "t.txt")) == [Row("a b/c d.jpg", "3"), Row("e.jpg", "0")]


def test_csv_columns_in_any_order_and_case(tmp_path: Path) -> None:
    (tmp_path / "t.CSV").write_text(' Label ,ClassName,Split,File\n0,"a, b",Valid,x.jpg\n')
    assert read_rows(str(tmp_path / "t.CSV")) == [Row("x.jpg", "0", "val", "a, b")]


@pytest.mark.parametrize("name", ["split.json", "split.csv"])
def test_a_json_file_is_not_printed_whole(tmp_path: Path, name: str) -> None:
    entries = [[f"images/{i:06d}.jpg", i % 7, "a class"] for i in range(4000)]
    path = tmp_path / name
    path.write_text(json.dumps({"train": entries}))
    assert path.stat().st_size > 120_000
    with pytest.raises(UserError) as caught:
        read_rows(str(path))
    assert len(str(caught.value)) < 400 and str(path) in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        f"path,label,split\na.jpg,0,{'x' * 10_000}\n",
        f'path,label\n"{"x" * 200_000}",0\n',  # more than csv takes
    ],
)
def test_no_value_is_echoed_whole(tmp_path: Path, content: str) -> None:
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(UserError) as caught:
        read_rows(str(tmp_path / "t.csv"))
    assert len(str(caught.value)) < 400


def test_long_labels_and_paths_are_cut_in_messages() -> None:
    long = "y" * 10_000
    rows = [Row("a.jpg", long), Row("b.jpg", "1")]
    with pytest.raises(UserError, match="mix integers") as caught:
        label_numbers(rows)
    assert len(str(caught.value)) < 300
    with pytest.raises(UserError, match="not in the class-name file") as caught:
        label_numbers(rows[:1], ["cat"])
    assert len(str(caught.value)) < 300
    with pytest.raises(UserError, match=r"outside 0\.\.0") as caught:
        to_records([Row(long, "9")], {"9": 9}, ["cat"])
    assert len(str(caught.value)) < 300


def test_backslashes_are_read_as_slashes_only_where_that_finds_the_image(tmp_path: Path) -> None:
    put(tmp_path / "x/a.jpg")
    put(tmp_path / "odd\\name.jpg")  # a backslash may be part of a name here
    rows = [
        Row("x\\a.jpg", "0"),
        Row("odd\\name.jpg", "0"),
        Row("x\\gone.jpg", "1"),
        Row("x/a", "1"),
    ]
    read, changed = with_slashes(rows, str(tmp_path))
    assert changed == 1
    assert [row.path for row in read] == ["x/a.jpg", "odd\\name.jpg", "x\\gone.jpg", "x/a"]
    assert [row.label for row in read] == ["0", "0", "1", "1"]


def test_words_are_numbered_in_alphabetical_order_or_by_the_names() -> None:
    rows = [Row("a", "zebra"), Row("b", "ant"), Row("c", "zebra")]
    assert label_numbers(rows) == {"ant": 0, "zebra": 1}
    assert label_numbers(rows, ["zebra", "ant", "owl"]) == {"zebra": 0, "ant": 1}
    assert label_numbers([Row("a", "10"), Row("b", "2")]) == {"10": 10, "2": 2}


def test_names_with_and_without_folders(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("n01 sea horse\nabbey\n")
    assert read_names(str(path)) == ["n01 sea horse", "abbey"]
    assert read_folder_names(str(path)) == {"n01": "sea horse", "abbey": "abbey"}
    with pytest.raises(UserError, match="cannot be read"):
        read_names(str(tmp_path / "none.txt"))
