"""What holds for every reader, checked on a miniature of its layout on disk.

A test file of one reader subclasses one of these, names the reader, and adds the reader's own
facts.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import pytest
from data_cfg import make_cfg
from mini_trees import BUILDERS, SIZES

from npt_plugin.datasets.names import reader
from npt_plugin.errors import UserError


def read(name: str, root: Path, **keys: Any) -> Any:
    """A dataset with the given DATASET keys."""
    return reader(name)(make_cfg(root, **keys))


def sizes(items: list) -> list[int]:
    """Items per label."""
    counts = Counter(item.label for item in items)
    return [counts[label] for label in range(max(counts) + 1)]


def paths(items: Any) -> list[str]:
    """Image paths in order."""
    return [item.impath for item in items]


_TREES: dict[str, Path] = {}


class ReaderChecks:
    """Names, labels and files of any reader."""

    name: ClassVar[str]
    names: ClassVar[list[str]]

    @pytest.fixture
    def root(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A tree shared by the tests of a reader, which do not change it."""
        if self.name not in _TREES:
            _TREES[self.name] = tmp_path_factory.mktemp("tree with spaces ü")
            BUILDERS[self.name](_TREES[self.name])
        return _TREES[self.name]

    @pytest.fixture
    def fresh(self, tmp_path: Path) -> Path:
        """A tree of one's own, to be damaged."""
        BUILDERS[self.name](tmp_path / "tree")
        return tmp_path / "tree"

    def test_names_labels_and_files(self, root: Path) -> None:
        data = read(self.name, root)
        assert data.classnames == self.names and data.num_classes == len(self.names)
        assert data.lab2cname == dict(enumerate(self.names))
        for item in (*data.train_x, *(data.val or []), *data.test):
            assert item.classname == self.names[item.label]
            assert os.path.isfile(item.impath)

    def test_absent_data_is_one_sentence(self, tmp_path: Path) -> None:
        said = f"does not exist.*npt data download {self.name}"
        with pytest.raises(UserError, match=said) as caught:
            read(self.name, tmp_path)
        assert "\n" not in str(caught.value)
        assert list(tmp_path.iterdir()) == []


class FewShotChecks(ReaderChecks):
    """A reader with a training set of its own."""

    images = sum(SIZES)  # in the miniature; 0: the parts overlap

    def test_every_image_is_in_exactly_one_part(self, root: Path) -> None:
        data = read(self.name, root)
        parts = [set(paths(part or [])) for part in (data.train_x, data.val, data.test)]
        assert len(set().union(*parts)) == sum(map(len, parts)) == self.images

    def test_shots_halves_and_imbalance(self, root: Path) -> None:
        full, whole = read(self.name, root), read(self.name, root, NUM_SHOTS=16)
        base, new = (
            read(self.name, root, NUM_SHOTS=16, SUBSAMPLE_CLASSES=half) for half in ("base", "new")
        )
        half = -(-len(self.names) // 2)
        assert sizes(whole.train_x) == [min(16, n) for n in sizes(full.train_x)]
        assert (base.classnames, new.classnames) == (self.names[:half], self.names[half:])
        assert {*paths(base.train_x), *paths(new.train_x)} == {*paths(whole.train_x)}
        assert len(base.test) + len(new.test) == len(whole.test) == len(full.test)
        for tau in (0.25, 0.06):
            skewed = read(
                self.name, root, NUM_SHOTS=16, SUBSAMPLE_CLASSES="base", imbalance={"RATIO": tau}
            )
            wanted = [max(1, round(16 * tau ** (k / (half - 1)))) for k in range(half)]
            there = sizes(base.train_x)
            assert sizes(skewed.train_x) == [min(w, n) for w, n in zip(wanted, there, strict=True)]
            assert {*paths(skewed.train_x)} <= {*paths(base.train_x)}
            assert paths(skewed.test) == paths(base.test)


class SplitFileChecks(FewShotChecks):
    """A reader that draws a split where the published file is absent."""

    def test_the_drawn_split_is_saved_and_read_again(self, root: Path) -> None:
        first = read(self.name, root, seed=1)
        (path,) = root.glob("*/split_zhou_*.json")
        assert path.name == f"split_zhou_{self.name}.json"
        again = read(self.name, root, seed=2)  # another seed, the same split
        assert paths(again.test) == paths(first.test)
        entries = json.loads(path.read_text(encoding="utf-8"))["test"]
        assert [Path(i.impath).name for i in first.test] == [Path(p).name for p, _, _ in entries]


class ShiftChecks(ReaderChecks):
    """A variant of ImageNet that exists for testing."""

    def test_it_is_never_cut(self, root: Path) -> None:
        full = read(self.name, root)
        assert full.val is None and paths(full.train_x) == paths(full.test)
        keys = {"NUM_SHOTS": 1, "SUBSAMPLE_CLASSES": "new", "imbalance": {"RATIO": 0.1}}
        cut = read(self.name, root, **keys)
        assert paths(cut.test) == paths(full.test) and cut.classnames == full.classnames
