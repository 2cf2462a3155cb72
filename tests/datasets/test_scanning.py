from __future__ import annotations

import os
from pathlib import Path

import pytest
from mini_trees import put

from npt_plugin.datasets.scanning import class_folders, folder_records, visible
from npt_plugin.datasets.source import Record
from npt_plugin.errors import UserError


def test_images_come_in_the_file_systems_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = ["b.jpg", ".DS_Store", "c.jpg", "a.jpg"]
    monkeypatch.setattr(os, "listdir", lambda folder: listing)
    assert visible(str(tmp_path)) == ["b.jpg", "c.jpg", "a.jpg"]
    records = folder_records(str(tmp_path), "cat", 3, "house cat")
    assert records == [Record(f"cat/{n}", 3, "house cat") for n in ("b.jpg", "c.jpg", "a.jpg")]


def test_class_folders_are_sorted_and_no_files(tmp_path: Path) -> None:
    for name in ("b/x", "A/x", "a/x", ".git/x", "skip/x", "readme.txt"):
        put(tmp_path / name)
    assert class_folders(str(tmp_path), ignored=("skip",)) == ["A", "a", "b"]


def test_nothing_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no class folder"):
        class_folders(str(tmp_path))
    with pytest.raises(UserError, match="cannot be read .No such file.*docs/datasets.md"):
        class_folders(str(tmp_path / "none"))
    (tmp_path / "cat").mkdir()
    with pytest.raises(UserError, match="cat' is empty; every class folder needs at least one"):
        folder_records(str(tmp_path), "cat", 0, "cat")
