"""The table of sources: its form, its order, and the facts it must agree with."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from mini_trees import BUILDERS

from npt_plugin.datasets.archives import SOURCES, Entry
from npt_plugin.datasets.catalogue import CATALOGUE, read_catalogue
from npt_plugin.datasets.names import READERS, reader

FACTS = json.loads((Path(__file__).parent / "real_fewshot_choices.json").read_text("utf-8"))
FEW_SHOT = [name for name, entry in CATALOGUE.items() if entry.counts and entry.bundle]


def test_it_covers_the_readers() -> None:
    own = {"ImageFolder", "List"} | {name for name in READERS if name.startswith("Embedded")}
    assert set(CATALOGUE) == set(READERS) - own
    for entry in CATALOGUE.values():
        folder = reader(entry.name).dataset_dir
        assert any(path.startswith(folder + "/") for path in entry.expects)


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=list(CATALOGUE))
def test_every_entry_says_all_that_is_needed(entry: Entry) -> None:
    assert entry.title and entry.size and entry.licence and entry.expects
    assert entry.automatic or entry.manual
    for place in (*entry.expects, *(part.into or "" for part in entry.parts)):
        assert not place.startswith(("/", "..")), place  # below DATASET.ROOT
    for part in entry.parts:
        packed = part.file.endswith((".zip", ".tgz", ".tar.gz", ".tar"))
        assert packed == (part.into is not None) == bool(part.mb), part
        ranks = [SOURCES.index(mirror.source) for mirror in part.mirrors]
        assert ranks == sorted(ranks) and ranks, part
        assert part.gives
    mirrors = [mirror for part in entry.parts for mirror in part.mirrors]
    for mirror in (*mirrors, *([entry.bundle.mirror] if entry.bundle else [])):
        assert bool(mirror.url) != bool(mirror.gdrive), mirror
        assert mirror.file and (mirror.source == "drive") == bool(mirror.gdrive)
        assert re.fullmatch(r"(https?://\S+)?", mirror.url)
        assert re.fullmatch(r"([0-9a-f]{32})?", mirror.md5)
        assert re.fullmatch(r"([0-9a-f]{64})?", mirror.sha256)


def test_the_ten_small_ones_have_a_second_way() -> None:
    assert len(FEW_SHOT) == 10
    for name in FEW_SHOT:
        entry = CATALOGUE[name]
        assert entry.automatic and entry.bundle and entry.counts
        split = f"{entry.folder}/split_zhou_{name}.json"
        assert (split in entry.expects) == (name != "FGVCAircraft")  # its lists are official
        for part in entry.parts:
            assert part.file != split or [m.source for m in part.mirrors] == [
                "huggingface",
                "drive",
            ]


def test_sizes_of_the_seven_published_split_files() -> None:
    known = [name for name in FACTS if not name.startswith("_")]
    assert len(known) == 7
    for name in known:
        counts = CATALOGUE[name].counts
        assert counts is not None
        assert [counts.train, counts.val, counts.test] == FACTS[name]["sizes"]
        assert counts.classes == FACTS[name]["classes"]


def test_imagenet_is_counted_as_its_reader_counts() -> None:
    """The validation set is both val and test; `npt reproduce TABLE --plan` needs the numbers."""
    counts = CATALOGUE["ImageNet"].counts
    assert counts is not None and counts.val == counts.test == 50 * counts.classes
    assert counts.train == 1281167


def test_one_file_of_class_names_serves_imagenet_and_its_variants() -> None:
    lists = {
        name: mirror.gdrive
        for name, entry in CATALOGUE.items()
        for part in entry.parts
        for mirror in part.mirrors
        if part.file.endswith("/classnames.txt") and mirror.gdrive
    }
    assert len(set(lists.values())) == 1
    assert set(lists) == {name for name in CATALOGUE if name.startswith("ImageNet")}


def test_a_table_of_ones_own_is_read() -> None:
    text = """
huggingface: https://hub/x/resolve/1/
datasets:
  A:
    title: T
    licence: L
    expects: [a/images, a/s.json]
    bundle: {file: a.zip, mb: 5, bytes: 4999999}
    parts:
      - {file: i.tgz, into: a, mb: 3, mirrors: [{from: drive, gdrive: X}, {from: publisher, url: https://p/y.tgz}]}
      - {file: a/s.json, mirrors: [{from: drive, gdrive: Z}]}
"""
    entry = read_catalogue(text)["A"]
    images, split = entry.parts
    assert entry.size == "3 MB"
    assert [mirror.source for mirror in images.mirrors] == ["publisher", "drive"]
    assert [mirror.file for mirror in images.mirrors] == ["y.tgz", "i.tgz"]
    assert images.gives == ("a/images",) and split.gives == ("a/s.json",)
    assert [(m.source, m.member) for m in split.mirrors] == [
        ("huggingface", "s.json"),
        ("drive", ""),
    ]
    assert entry.bundle and entry.bundle.mirror.url == "https://hub/x/resolve/1/a.zip"


def test_expected_paths_are_those_the_readers_need(tmp_path: Path) -> None:
    for name, build in BUILDERS.items():
        root = tmp_path / name
        build(root)
        for path in CATALOGUE[name].expects:
            assert "split_" in path or (root / path).exists(), (name, path)


def test_every_dataset_is_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
    for name, entry in CATALOGUE.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{name}`"))
        assert entry.expects[0].split("/")[0] in row
        assert entry.size in row, (name, entry.size)
