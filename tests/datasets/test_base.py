from __future__ import annotations

from pathlib import Path

import pytest
from data_cfg import make_cfg
from mini_trees import put

from npt_plugin.datasets.base import ExplicitClasses, FewShotDataset, to_datums
from npt_plugin.datasets.selection import Selection
from npt_plugin.datasets.source import Record, Source
from npt_plugin.errors import UserError


class Birds(FewShotDataset):
    """A reader as somebody would write it: one method."""

    dataset_dir = "birds"
    required = ("images",)
    extra: dict = {}

    def read(self) -> Source:
        image_root = f"{self.dataset_dir}/images"
        records = [Record(f"{k}_{i}.jpg", k, f"bird {k}") for k in (0, 2) for i in range(3)]
        names = [f"bird {k}" for k in range(3)]
        return Source("Birds", image_root, names, records, [], records, **self.extra)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for k in (0, 2):
        for i in range(3):
            put(tmp_path / f"birds/images/{k}_{i}.jpg")
    return tmp_path


def test_a_class_that_is_not_in_train_shifts_no_name(root: Path) -> None:
    place = str(root / "birds/images")
    records = [Record("0_0.jpg", 0, "zero"), Record("2_0.jpg", 2, "two", 5)]
    chosen = Selection(records, records, [Record("0_1.jpg", 1, "one")], ["zero", "one", "two"], 1)
    data = ExplicitClasses(chosen, place)
    assert data.num_classes == 3 and data.classnames == ["zero", "one", "two"]
    assert data.lab2cname == {0: "zero", 1: "one", 2: "two"}
    (first, second) = to_datums(records, place)
    assert (second.impath, second.label, second.classname) == (f"{place}/2_0.jpg", 2, "two")
    assert (first.domain, second.domain) == (0, 5)


def test_val_that_is_test_is_one_list_and_empty_val_is_none(root: Path) -> None:
    place = str(root / "birds/images")
    records = [Record("0_0.jpg", 0, "zero")]
    assert ExplicitClasses(Selection(records, [], records, ["zero"], 1), place).val is None
    shared = ExplicitClasses(Selection(records, records, records, ["zero"], 1), place)
    assert shared.val is shared.test


def test_a_reader_writes_one_method(root: Path, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(UserError, match=r"class 1 \('bird 1'\) has no training image"):
        Birds(make_cfg(root, NUM_SHOTS=2))
    data = Birds(make_cfg(root, NUM_SHOTS=2, ALLOW_EMPTY_CLASSES=True))
    assert len(data.train_x) == 4 and data.record["class_counts"] == [2, 0, 2]
    assert data.registry_name() == data.source_name == "Birds"
    assert "1 of 3 classes have fewer" in capsys.readouterr().out


def test_what_is_missing_is_named_with_the_remedy(root: Path, tmp_path: Path) -> None:
    (root / "birds/images").rename(root / "birds/pictures")
    with pytest.raises(UserError, match="Birds: '.*birds/images' does not exist; put the data un"):
        Birds(make_cfg(root))
    with pytest.raises(UserError, match="'.*none/birds' does not exist"):
        Birds(make_cfg(tmp_path / "none"))


def test_what_a_source_says_is_printed_and_what_it_refuses_ends_the_run(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    cfg = make_cfg(root, ALLOW_EMPTY_CLASSES=True)
    monkeypatch.setattr(Birds, "extra", {"remarks": ["A remark."], "problems": ["A problem."]})
    Birds(cfg)
    assert capsys.readouterr().out.splitlines() == ["A problem.", "A remark."]
    monkeypatch.setattr(Birds, "extra", {"refusal": "Not with these data."})
    with pytest.raises(UserError, match="Not with these data."):
        Birds(cfg)
