from __future__ import annotations

from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest
from file_server import FileServer
from toy_entries import toy

from npt_plugin.datasets import download_plan
from npt_plugin.datasets.download_plan import PlannedFile, check_disk, disk_need, half_there, plan
from npt_plugin.datasets.placing import scratch
from npt_plugin.errors import UserError


def test_a_plan_names_places_in_their_order_and_asks_nobody(
    server: FileServer, tmp_path: Path
) -> None:
    entry = toy(server)
    images, split = plan(entry, tmp_path)
    assert images.file == "i.zip" and images.mb == 2 and images.fetched and images.unpacked
    assert images.places == ("publisher", "torchvision", "huggingface")
    assert images.checked_by == "md5" and split.checked_by == "its format only"
    (tmp_path / "toy/images").mkdir(parents=True)
    assert [file.file for file in plan(entry, tmp_path)] == [split.file]
    assert not server.log


def test_given_files_are_planned_as_such(server: FileServer, tmp_path: Path) -> None:
    entry = toy(server)
    (tmp_path / "i.zip").write_bytes(server.files["/i.zip"])
    images, split = plan(entry, tmp_path / "root", tmp_path)
    assert not images.fetched and split.fetched
    (tmp_path / "toy.zip").write_bytes(server.files["/hub/toy.zip"])
    (whole,) = plan(entry, tmp_path / "root", tmp_path)
    assert whole.file.endswith("toy.zip") and not whole.fetched and whole.mb == 3


def test_what_only_the_bundle_has(server: FileServer, tmp_path: Path) -> None:
    entry = toy(server)
    entry = replace(entry, parts=entry.parts[1:])
    split, whole = plan(entry, tmp_path)
    assert whole.file == "toy.zip" and whole.places == ("huggingface",)


def _file(mb: float, fetched: bool = True) -> PlannedFile:
    return PlannedFile("X", "x.zip", mb, fetched, ("publisher",), "md5", True)


def test_archives_count_as_long_as_they_stand_beside_their_content() -> None:
    files = [_file(10), _file(100), _file(5), _file(50, fetched=False)]
    content = 165e6
    assert disk_need(files, keep=False, jobs=1) == content + 100e6
    assert disk_need(files, keep=False, jobs=2) == content + 110e6
    assert disk_need(files, keep=True, jobs=1) == content + 115e6
    assert disk_need([], keep=False, jobs=4) == 0


def test_a_disk_without_room_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    asked = []

    def disk(path: Path) -> usage:
        asked.append(path)
        return usage(0, 0, int(2e9))

    monkeypatch.setattr(download_plan.shutil, "disk_usage", disk)
    check_disk(int(2e9), tmp_path / "not" / "there")
    assert asked == [tmp_path]
    with pytest.raises(UserError, match="about 3.0 GB under .* but 2.0 GB are free: name fewer"):
        check_disk(int(3e9), tmp_path)


def test_half_files_need_no_second_room(server: FileServer, tmp_path: Path) -> None:
    entry = toy(server)
    assert half_there([entry], tmp_path) == 0
    scratch(entry, tmp_path).mkdir(parents=True)
    (scratch(entry, tmp_path) / "i.zip.part").write_bytes(b"123")
    (scratch(entry, tmp_path) / "bundle-toy.zip.part").write_bytes(b"12")
    (scratch(entry, tmp_path) / "kept.zip").write_bytes(b"1")
    assert half_there([entry], tmp_path) == 5
