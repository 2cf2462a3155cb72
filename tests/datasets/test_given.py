from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from file_server import FileServer
from toy_entries import toy, zipped

from npt_plugin.datasets.archives import Bundle
from npt_plugin.datasets.given import given_bundle, given_part
from npt_plugin.errors import UserError


def test_files_are_found_by_name_also_one_folder_deeper(server: FileServer, tmp_path: Path) -> None:
    entry = toy(server)
    assert given_part(entry, entry.parts[0], tmp_path) is None
    assert given_bundle(entry, tmp_path) is None
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/i.zip").write_bytes(server.files["/i.zip"])
    (tmp_path / "toy.zip").write_bytes(server.files["/hub/toy.zip"])
    found = given_part(entry, entry.parts[0], tmp_path)
    assert found == (tmp_path / "deep/i.zip", entry.parts[0].mirrors[0])
    assert given_bundle(entry, tmp_path) == tmp_path / "toy.zip"


def test_a_copy_that_only_a_later_mirror_knows(server: FileServer, tmp_path: Path) -> None:
    entry = toy(server)
    (tmp_path / "i.zip").write_bytes(zipped({"other": b"1"}))  # torchvision's has no checksum here
    path, mirror = given_part(entry, entry.parts[0], tmp_path) or (None, None)
    assert path and mirror and mirror.source == "torchvision"


def test_another_file_of_that_name_is_refused(server: FileServer, tmp_path: Path) -> None:
    entry = toy(server)
    (tmp_path / "i.zip").write_bytes(b"<html>log in</html>")
    with pytest.raises(UserError, match="i.zip' is not the published file: a web page.*take it"):
        given_part(entry, entry.parts[0], tmp_path)
    (tmp_path / "toy.zip").write_bytes(b"x")
    with pytest.raises(UserError, match="toy.zip' is not the published file: it has 1 bytes"):
        given_bundle(entry, tmp_path)


def test_two_archives_of_one_name_are_told_apart(server: FileServer, tmp_path: Path) -> None:
    entry = toy(server)
    part = replace(entry.parts[0], mirrors=entry.parts[0].mirrors[:1])
    assert entry.bundle
    same = Bundle(replace(entry.bundle.mirror, file="i.zip"), 3)
    entry = replace(entry, parts=(part, *entry.parts[1:]), bundle=same)
    (tmp_path / "i.zip").write_bytes(server.files["/hub/toy.zip"])
    assert given_part(entry, part, tmp_path) is None
    assert given_bundle(entry, tmp_path) == tmp_path / "i.zip"
