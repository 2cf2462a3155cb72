from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from npt_plugin.datasets.fewshot import seeded_random
from npt_plugin.datasets.source import Record
from npt_plugin.datasets.split import read_split, split_three, split_trainval, write_split
from npt_plugin.errors import UserError

R = Record


def test_split_file_round_trip_in_the_public_format(tmp_path: Path) -> None:
    parts = [R("a b/1.jpg", 0, "näme one")], [R("x.jpg", 1, "two")], [R("y.jpg", 1, "two")]
    write_split(tmp_path / "split.json", *parts)
    raw = json.loads((tmp_path / "split.json").read_text(encoding="utf-8"))
    assert raw["train"] == [["a b/1.jpg", 0, "näme one"]]
    assert read_split(tmp_path / "split.json") == parts
    assert [p.name for p in tmp_path.iterdir()] == ["split.json"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"train": [["a.jpg", 0', "not valid JSON"),
        ('{"train": [], "val": []}', "no part called test"),
        ("[]", "no part called train or val or test"),
        ('{"train": [["a.jpg", 0]], "val": [], "test": []}', r"is not \[path, label, class name\]"),
        ('{"train": [["a.jpg", "x", "c"]], "val": [], "test": []}', "is not"),
    ],
)
def test_broken_split_files(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "s.json").write_text(content)
    with pytest.raises(UserError, match=sentence):
        read_split(tmp_path / "s.json")


def test_trainval_split_takes_a_fifth_of_each_class() -> None:
    items = [R(f"{k}/{i}", k, str(k)) for k, n in ((1, 10), (0, 25)) for i in range(n)]
    train, val = split_trainval(items, seeded_random(1))
    assert [r.label for r in val] == [1] * 2 + [0] * 5
    assert sorted(train + val) == sorted(items)
    with pytest.raises(UserError, match="has 2 images, too few"):
        split_trainval(items[:2], seeded_random(1))


def test_splits_equal_the_global_procedure() -> None:
    """The CoOp family's two ways to draw a split, spelled out on the global generator."""
    items = [R(f"{i}", (3 * i) % 4, str((3 * i) % 4)) for i in range(60)]
    random.seed(5)
    train, val = [], []
    for label in dict.fromkeys(r.label for r in items):
        where = [i for i, r in enumerate(items) if r.label == label]
        random.shuffle(where)
        val += [items[i] for i in where[: round(len(where) * 0.2)]]
        train += [items[i] for i in where[round(len(where) * 0.2) :]]
    assert split_trainval(items, seeded_random(5)) == (train, val)

    classes = [[r for r in items if r.label == label] for label in range(4)]
    random.seed(6)
    expected: tuple[list, list, list] = ([], [], [])
    for members in classes:
        paths = list(members)
        random.shuffle(paths)
        a, b = round(len(paths) * 0.5), round(len(paths) * 0.2)
        for part, cut in zip(expected, (paths[:a], paths[a : a + b], paths[a + b :]), strict=True):
            part.extend(cut)
    assert split_three(classes, seeded_random(6)) == expected


def test_three_way_split_shares() -> None:
    classes = [[R(f"{k}/{i}", k, str(k)) for i in range(n)] for k, n in ((0, 10), (1, 21))]
    train, val, test = split_three(classes, seeded_random(0))
    assert [sum(r.label == k for r in part) for part in (train, val, test) for k in (0, 1)] == [
        5,
        10,
        2,
        4,
        3,
        7,
    ]
    with pytest.raises(UserError, match="Class '0' has 2 images, too few"):
        split_three([classes[0][:2]], seeded_random(0))
