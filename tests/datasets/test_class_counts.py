from __future__ import annotations

from types import SimpleNamespace

from npt_plugin.datasets.class_counts import class_counts, describe


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
