from __future__ import annotations

from pathlib import Path

from file_server import FileServer
from toy_entries import toy

from npt_plugin.datasets.placing import Getting, is_cut_off, moving_mark, place, scratch


def test_ours_is_moved_or_unpacked_and_given_files_stay(server: FileServer, tmp_path: Path) -> None:
    entry = toy(server)
    images, split = entry.parts
    own = scratch(entry, tmp_path / "r")
    given = tmp_path / "given"
    for folder in (own, given):
        folder.mkdir(parents=True)
        (folder / "i.zip.part").write_bytes(server.files["/i.zip"])
        (folder / "s.json").write_bytes(server.files["/split"])
    for folder, keep in ((given, False), (own, True)):
        how = Getting(tmp_path / "r", keep=keep)
        place(entry, images, images.mirrors[0], folder / "i.zip.part", how)
        place(entry, split, split.mirrors[0], folder / "s.json", how)
    assert (tmp_path / "r/toy/images/c/2.jpg").exists()
    assert (tmp_path / "r/toy/split_zhou_Toy.json").read_bytes() == server.files["/split"]
    assert sorted(p.name for p in given.iterdir()) == ["i.zip.part", "s.json"]
    assert [p.name for p in own.iterdir()] == ["i.zip"]  # kept under its own name


def test_a_mark_says_that_moving_was_cut_off(server: FileServer, tmp_path: Path) -> None:
    entry = toy(server)
    assert not is_cut_off(entry, "i.zip", tmp_path)
    mark = moving_mark(scratch(entry, tmp_path), "i.zip")
    mark.parent.mkdir(parents=True)
    mark.touch()
    assert is_cut_off(entry, "i.zip", tmp_path)
