from __future__ import annotations

from pathlib import Path

import pytest
from mini_trees import put, text

from npt_plugin.datasets.imagenet_shift import ImageNetShift
from npt_plugin.errors import UserError


class Cartoons(ImageNetShift):
    """A further variant, as somebody would add it."""

    dataset_dir = "imagenet-cartoons"
    image_dir = "drawn"


def _reader(root: Path) -> Cartoons:
    made = Cartoons.__new__(Cartoons)
    made.dataset_dir = str(root)
    made.image_root = str(root / "drawn")
    return made


def test_a_variant_says_only_where_its_images_are(tmp_path: Path) -> None:
    text(tmp_path / "classnames.txt", ["n01 tench", "n02 sea horse", "n03 crane"])
    for name in ("n03/b.jpg", "n01/a.jpg", "README.txt"):
        put(tmp_path / "drawn" / name)
    source = _reader(tmp_path).read()
    assert source.classnames == ["tench", "crane"] and source.test_only
    assert [(r.path, r.label) for r in source.test] == [("n01/a.jpg", 0), ("n03/b.jpg", 1)]
    assert source.train is source.test and source.val == []
    put(tmp_path / "drawn/n09/c.jpg")
    with pytest.raises(UserError, match="classnames.txt does not list the folder 'n09'"):
        _reader(tmp_path).read()
