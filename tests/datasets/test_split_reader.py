from __future__ import annotations

from pathlib import Path

import pytest
from mini_trees import BUILDERS
from reader_checks import paths, read

from npt_plugin.datasets import split_reader
from npt_plugin.datasets.split_reader import annotation_lines
from npt_plugin.errors import UserError


def test_a_split_that_cannot_be_saved_is_drawn_for_the_run_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    BUILDERS["EuroSAT"](tmp_path)

    def read_only(*_: object) -> None:
        raise UserError("Cannot write x: Read-only file system.")

    monkeypatch.setattr(split_reader, "write_split", read_only)
    one = read("EuroSAT", tmp_path, seed=1)
    assert "drew one for this run only (Cannot write x" in capsys.readouterr().out
    two, other = read("EuroSAT", tmp_path, seed=1), read("EuroSAT", tmp_path, seed=2)
    assert paths(one.test) == paths(two.test) != paths(other.test)
    assert not list((tmp_path / "eurosat").glob("split*"))


def test_a_published_split_file_is_used_as_it_is(tmp_path: Path) -> None:
    BUILDERS["EuroSAT"](tmp_path)
    images = [f"River/image_{i:04d}.jpg" for i in range(3)]
    parts = ", ".join(
        f'"{part}": [["{image}", 0, "a river"]]'
        for part, image in zip(("train", "val", "test"), images, strict=True)
    )
    (tmp_path / "eurosat/split_zhou_EuroSAT.json").write_text(f"{{{parts}}}")
    data = read("EuroSAT", tmp_path)
    assert data.classnames == ["a river"]
    assert [Path(p).name for p in paths([*data.train_x, *data.val, *data.test])] == [
        Path(image).name for image in images
    ]


def test_annotation_lines_are_stripped_and_a_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text(" a 1 \n\n\tb\n")
    assert annotation_lines("X", str(tmp_path / "l.txt")) == ["a 1", "b"]
    with pytest.raises(UserError, match="X: '.*none.txt' is missing; fetch the split file or thi"):
        annotation_lines("X", str(tmp_path / "none.txt"))
