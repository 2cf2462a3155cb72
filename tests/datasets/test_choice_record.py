from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from data_cfg import make_cfg
from mini_trees import BUILDERS

from npt_plugin.datasets.choice_record import cache_folder
from npt_plugin.datasets.names import reader
from npt_plugin.errors import UserError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    BUILDERS["EuroSAT"](tmp_path / "data")
    return tmp_path / "data"


def _read(root: Path, **keys: Any) -> Any:
    return reader("EuroSAT")(make_cfg(root, **{"NUM_SHOTS": 4, **keys}))


def _paths(items: Any) -> list[str]:
    return [i.impath for i in items]


def _records(root: Path) -> list[Path]:
    return sorted((root / "eurosat/split_fewshot").glob("*"))


def test_second_read_uses_the_record_and_gives_the_same(
    root: Path, capsys: pytest.CaptureFixture
) -> None:
    first = _read(root, imbalance={"RATIO": 0.25})
    (path,) = _records(root)
    content = json.loads(path.read_text())
    assert content["key"]["ratio"] == 0.25
    assert content["class_counts"] == [4, 3, 2, 1, 1]
    assert not any(entry[0].startswith("/") for entry in content["train"])  # relative paths
    assert str(root) not in path.read_text()
    capsys.readouterr()
    again = _read(root, imbalance={"RATIO": 0.25})
    assert f"read from {path}" in capsys.readouterr().out
    assert _paths(again.train_x) == _paths(first.train_x)
    assert _paths(again.val) == _paths(first.val)
    assert again.record == first.record


def test_every_part_of_the_key_has_its_own_record(root: Path) -> None:
    _read(root)
    for keys in (
        {"NUM_SHOTS": 2},
        {"seed": 2},
        {"SUBSAMPLE_CLASSES": "base"},
        {"imbalance": {"RATIO": 0.5}},
        {"imbalance": {"RATIO": 0.5, "PROFILE": "step"}},
        {"imbalance": {"RATIO": 0.5, "ORDER": "random"}},
    ):
        before = len(_records(root))
        _read(root, **keys)
        assert len(_records(root)) == before + 1


def test_a_changed_split_is_noticed(root: Path, capsys: pytest.CaptureFixture) -> None:
    _read(root)
    split = root / "eurosat/split_zhou_EuroSAT.json"
    content = json.loads(split.read_text())
    content["train"] = [e for e in content["train"] if e[1] != 0] + [
        e for e in content["train"] if e[1] == 0
    ][:2]
    split.write_text(json.dumps(content))
    capsys.readouterr()
    after = _read(root)
    assert "split of EuroSAT has changed" in capsys.readouterr().out
    assert sum(i.label == 0 for i in after.train_x) == 2


def test_moved_data_root_still_finds_its_images(root: Path, tmp_path: Path) -> None:
    before = _read(root)
    moved = tmp_path / "moved"
    shutil.move(root, moved)
    after = _read(moved)
    assert _paths(after.train_x) == [
        p.replace(str(root), str(moved)) for p in _paths(before.train_x)
    ]
    assert len(_records(moved)) == 1


def test_a_record_cut_short_is_drawn_again(root: Path) -> None:
    first = _read(root)
    (path,) = _records(root)
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2])
    assert _paths(_read(root).train_x) == _paths(first.train_x)
    assert path.read_text() == whole


def test_host_pickles_are_neither_read_nor_written(root: Path) -> None:
    folder = root / "eurosat/split_fewshot"
    folder.mkdir()
    (folder / "shot_4-seed_1.pkl").write_bytes(b"would raise if it were loaded")
    _read(root)
    assert (folder / "shot_4-seed_1.pkl").read_bytes() == b"would raise if it were loaded"
    with pytest.raises(UserError, match="a pickle: reading one can run any code"):
        _read(root, FEWSHOT_CACHE=str(folder / "shot_4-seed_1.pkl"))


def test_settings(root: Path, tmp_path: Path) -> None:
    _read(root, FEWSHOT_CACHE="off")
    assert _records(root) == []
    _read(root, FEWSHOT_CACHE=str(tmp_path / "elsewhere"))
    assert _records(root) == [] and len(list((tmp_path / "elsewhere").iterdir())) == 1
    _read(root, seed=-1)  # unseeded: nothing to come back to
    _read(root, NUM_SHOTS=-1)  # everything: nothing was chosen
    assert _records(root) == []
    with pytest.raises(UserError, match="a file; name a folder"):
        cache_folder(str(root / "eurosat/split_zhou_EuroSAT.json"), "")


def test_a_folder_that_cannot_be_written_does_not_stop_a_run(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "blocked").write_text("a file where a folder would be needed")
    data = _read(root, FEWSHOT_CACHE=str(tmp_path / "blocked" / "x"))
    assert len(data.train_x) == 20
    assert "not recorded" in capsys.readouterr().out
