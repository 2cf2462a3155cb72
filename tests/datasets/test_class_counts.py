from __future__ import annotations

from types import SimpleNamespace

from npt_plugin.datasets.class_counts import by_frequency, class_counts, describe


def _dataset(sizes: list[int]) -> SimpleNamespace:
    items = [SimpleNamespace(label=k) for k, n in enumerate(sizes) for _ in range(n)]
    return SimpleNamespace(train_x=items, classnames=[f"class {k}" for k in range(len(sizes))])


def test_counts_cover_every_class_name() -> None:
    counts = class_counts(_dataset([3, 0, 2, 0]))
    assert counts.tolist() == [3, 0, 2, 0]
    assert str(counts.dtype) == "torch.int64"


def test_describe_lists_each_class() -> None:
    lines = describe(_dataset([16, 4, 1])).splitlines()
    assert lines[0] == (
        "Training images per class: 21 images, 3 classes, most 16, least 1, n_min/n_max 0.0625"
    )
    assert lines[1].split() == ["0", "16", "#" * 30, "class", "0"]
    assert lines[3].split() == ["2", "1", "##", "class", "2"]


def test_describe_of_many_classes_stays_short() -> None:
    lines = describe(_dataset([1000 - k for k in range(500)])).splitlines()
    assert len(lines) == 62
    assert lines[31] == "  ...  440 more classes with 531 to 970 images"


def test_by_frequency_shows_both_ends() -> None:
    lines = by_frequency(_dataset([4, 16, 1, 9, 2, 6, 3, 12])).splitlines()
    assert lines[0] == describe(_dataset([4, 16, 1, 9, 2, 6, 3, 12])).splitlines()[0]
    assert [line.split()[:2] for line in lines[1:4]] == [["1", "16"], ["7", "12"], ["3", "9"]]
    assert lines[4] == "  ...  2 more classes with 4 to 6 images"
    assert [line.split()[:2] for line in lines[5:]] == [["6", "3"], ["4", "2"], ["2", "1"]]


def test_by_frequency_of_balanced_classes_is_one_line() -> None:
    assert "most 16, least 16" in by_frequency(_dataset([16] * 5))
    assert len(by_frequency(_dataset([16] * 5)).splitlines()) == 1
    assert len(by_frequency(_dataset([2, 1, 1, 1, 1, 1, 1])).splitlines()) == 8  # none hidden
