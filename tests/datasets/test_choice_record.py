from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from data_cfg import make_cfg
from mini_trees import BUILDERS

from npt_plugin.datasets.choice_record import CHOICE_FILE, refuse_other_choice
from npt_plugin.datasets.names import reader
from npt_plugin.errors import UserError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    BUILDERS["EuroSAT"](tmp_path / "data")
    return tmp_path / "data"


def _read(root: Path, **keys: Any) -> Any:
    return reader("EuroSAT")(make_cfg(root, **{"NUM_SHOTS": 4, **keys}))


def test_a_record_says_what_was_chosen_and_why(root: Path) -> None:
    data = _read(root, imbalance={"RATIO": 0.25})
    record = data.record
    assert record["class_counts"] == [4, 3, 2, 1, 1]
    assert record["key"]["dataset"] == "EuroSAT" and record["key"]["ratio"] == 0.25
    base = root / "eurosat/2750"
    assert [str(base / path) for path, *_ in record["train"]] == [i.impath for i in data.train_x]
    assert [str(base / path) for path, *_ in record["val"]] == [i.impath for i in data.val]
    assert json.loads(json.dumps(record)) == record


def test_every_setting_of_the_choice_is_in_the_key(root: Path) -> None:
    settings: list[dict[str, Any]] = [
        {},
        {"NUM_SHOTS": 2},
        {"seed": 2},
        {"SUBSAMPLE_CLASSES": "base"},
        {"imbalance": {"RATIO": 0.5}},
        {"imbalance": {"RATIO": 0.5, "PROFILE": "step"}},
        {"imbalance": {"RATIO": 0.5, "ORDER": "random"}},
    ]
    keys = [json.dumps(_read(root, **setting).record["key"]) for setting in settings]
    assert len(set(keys)) == len(settings)


def test_nothing_is_written_beside_the_data_and_a_moved_root_is_the_same(
    root: Path, tmp_path: Path
) -> None:
    before = _read(root)
    assert {path.name for path in (root / "eurosat").iterdir()} == {
        "2750",
        "split_zhou_EuroSAT.json",
    }
    shutil.move(root, tmp_path / "moved")
    assert _read(tmp_path / "moved").record == before.record


def test_pickles_of_a_host_are_not_opened(root: Path) -> None:
    folder = root / "eurosat/split_fewshot"
    folder.mkdir()
    (folder / "shot_4-seed_1.pkl").write_bytes(b"would raise if it were loaded")
    assert len(_read(root).train_x) == 20


def test_a_run_goes_on_with_the_images_it_began_with(root: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    first = _read(root).record
    refuse_other_choice(run, first)  # a run of an engine that keeps no record
    (run / CHOICE_FILE).write_text(json.dumps(first))
    refuse_other_choice(run, _read(root).record)

    split = root / "eurosat/split_zhou_EuroSAT.json"
    content = json.loads(split.read_text())
    content["test"].pop()  # not even a training image
    split.write_text(json.dumps(content))
    with pytest.raises(UserError, match="began with other images: the data of EuroSAT have chang"):
        refuse_other_choice(run, _read(root).record)
    (run / CHOICE_FILE).write_text(json.dumps({**first, "key": {**first["key"], "seed": -1}}))
    unseeded = _read(root, seed=-1).record
    with pytest.raises(UserError, match="other images: the data of EuroSAT have changed"):
        refuse_other_choice(run, unseeded)
    (run / CHOICE_FILE).write_text(json.dumps(unseeded))
    refuse_other_choice(run, unseeded)
    with pytest.raises(UserError, match="SEED is -1, so they are drawn anew.* --seed 0 or more"):
        refuse_other_choice(run, _read(root, seed=-1).record)
    (run / CHOICE_FILE).write_text("{")
    with pytest.raises(UserError, match="not valid JSON"):
        refuse_other_choice(run, first)
