from __future__ import annotations

from pathlib import Path

import pytest
from file_server import FileServer
from toy_entries import EXPECTS, IMAGES, SPLIT, toy, zipped

from npt_plugin.datasets.bundle import base_of, unpack_bundle
from npt_plugin.errors import UserError

NAMES = [*IMAGES, "split_zhou_Toy.json"]


@pytest.mark.parametrize("base", ["", "toy", "Toy", "data/toy", "toy/toy"])
def test_the_dataset_is_found_wherever_it_lies(
    server: FileServer, tmp_path: Path, base: str
) -> None:
    members = {f"{base}/{name}".lstrip("/"): b"x" for name in NAMES} | {"other/a.pkl": b"no"}
    (tmp_path / "t.zip").write_bytes(zipped(members))
    unpack_bundle(tmp_path / "t.zip", toy(server), EXPECTS, tmp_path / "root", tmp_path / "s")
    found = sorted(str(p.relative_to(tmp_path / "root")) for p in (tmp_path / "root").rglob("*.*"))
    assert found == sorted(f"toy/{name}" for name in NAMES)
    assert not list((tmp_path / "s").glob("*"))


def test_only_what_is_wanted_is_taken(server: FileServer, tmp_path: Path) -> None:
    entry = toy(server)
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy/split_zhou_Toy.json").write_bytes(b"mine")
    (tmp_path / "t.zip").write_bytes(server.files["/hub/toy.zip"])
    unpack_bundle(tmp_path / "t.zip", entry, EXPECTS[:1], tmp_path, tmp_path / "s")
    assert (tmp_path / "toy/split_zhou_Toy.json").read_bytes() == b"mine"
    assert (tmp_path / "toy/images/c/2.jpg").read_bytes() == b"2"
    assert not list(tmp_path.rglob("*.pkl"))
    unpack_bundle(tmp_path / "t.zip", entry, EXPECTS, tmp_path, tmp_path / "s")
    assert (tmp_path / "toy/split_zhou_Toy.json").read_bytes() == SPLIT


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zipped({"a/images/1.jpg": b"", "b/split_zhou_Toy.json": b""}), "in one folder"),
        (zipped({"a/images/1.jpg": b""}), "does not hold images and split_zhou_Toy.json"),
        (b"no zip", "is broken"),
        (zipped({"a/images/1.jpg": b"", "a/split_zhou_Toy.json": b"", "../x": b""}), "trusted"),
    ],
)
def test_other_archives(server: FileServer, tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "t.zip").write_bytes(content)
    with pytest.raises(UserError, match=reason):
        unpack_bundle(tmp_path / "t.zip", toy(server), EXPECTS, tmp_path / "r", tmp_path / "s")
    assert not (tmp_path / "r").exists()


def test_the_shortest_folder_counts() -> None:
    names = ["a/images/images/1.jpg", "a/b/images/1.jpg", "a/images/", "z/images"]
    assert base_of(names, ["images"]) == "a"
    assert base_of(["images2/1.jpg"], ["images"]) is None
