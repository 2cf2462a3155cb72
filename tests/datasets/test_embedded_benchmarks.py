"""The drawn benchmarks through the ordinary reader; the drawing itself is tested elsewhere."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from data_cfg import make_cfg
from mini_trees import put

from npt_plugin.datasets import embedded_benchmarks
from npt_plugin.datasets.names import READERS, reader
from npt_plugin.datasets.prompt_templates import template_for
from npt_plugin.embedded.benchmarks import BENCHMARKS

NAMES = [name for name in READERS if name.startswith("Embedded")]


def test_every_benchmark_has_a_reader_and_a_template() -> None:
    assert sorted(BENCHMARKS) == sorted(NAMES)
    assert all(template_for(name) == BENCHMARKS[name].template for name in NAMES)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A stand-in that draws four tiny classes, and records what it was asked for."""
    asked: list[Any] = []

    def ensure(root: Any, names: list[str]) -> None:
        asked.append((str(root), names))
        base = Path(root) / "embedded_toy"
        split: dict[str, list] = {"train": [], "val": [], "test": []}
        for label, name in enumerate(["red cup", "blue cup", "old car", "new car"]):
            for part, count in (("train", 20), ("val", 5), ("test", 6)):
                for i in range(count):
                    path = f"{name}/{part}{i}.jpg"
                    put(base / "images" / path)
                    split[part].append([path, label, name])
        (base / f"split_zhou_{names[0]}.json").write_text(json.dumps(split))

    monkeypatch.setattr(embedded_benchmarks, "ensure_benchmarks", ensure)
    toy = SimpleNamespace(directory="embedded_toy", template="a {}.")
    monkeypatch.setattr(embedded_benchmarks, "BENCHMARKS", {name: toy for name in NAMES})
    return asked


def test_builds_then_reads_like_any_other(drawn: list[Any], tmp_path: Path) -> None:
    cfg = make_cfg(tmp_path, NUM_SHOTS=16, SUBSAMPLE_CLASSES="base", imbalance={"RATIO": 0.25})
    data = reader("EmbeddedObjects")(cfg)
    assert drawn == [(str(tmp_path), ["EmbeddedObjects"])]
    assert data.classnames == ["red cup", "blue cup"]
    assert Counter(i.label for i in data.train_x) == {0: 16, 1: 4}
    assert len(data.test) == 12


def test_empty_root_means_the_data_folder(
    drawn: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    reader("EmbeddedShades")(make_cfg(""))
    assert drawn == [(str(tmp_path / "data"), ["EmbeddedShades"])]
    assert (tmp_path / "data/embedded_toy").is_dir()
