from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from npt_plugin.datasets.extract import check_member, extract, merge
from npt_plugin.errors import UserError


def _zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def _tar(path: Path, members: list[tuple[tarfile.TarInfo, bytes]], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as file:
        for info, content in members:
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return path


def _link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def _extract(archive: Path, base: Path, **keys: str) -> Path:
    extract(archive, base / "out", base / "work", **keys)
    assert not (base / "work").exists()
    return base / "out"


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


EVIL = ["../evil.txt", "a/../../evil.txt", "/etc/evil.txt", "..\\evil.txt", "C:\\evil.txt"]


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_members_that_leave_the_folder(tmp_path: Path, name: str, kind: str) -> None:
    if kind == "zip":
        archive = _zip(tmp_path / "a.zip", {"good.txt": b"1", name: b"2"})
    else:
        archive = _tar(
            tmp_path / "a.tar.gz",
            [(tarfile.TarInfo("good.txt"), b"1"), (tarfile.TarInfo(name), b"2")],
        )
    with pytest.raises(UserError, match="outside the target folder; nothing was unpacked"):
        _extract(archive, tmp_path / "base" / "x")
    assert not list(tmp_path.rglob("*.txt"))
    assert not (tmp_path / "base/x/out").exists()


@pytest.mark.parametrize(
    "member",
    [
        _link("l", "../../etc"),
        _link("d/l", "../../x"),
        _link("l", "/etc/passwd"),
        _link("l", "../x", tarfile.LNKTYPE),
    ],
)
def test_links_outside(tmp_path: Path, member: tuple[tarfile.TarInfo, bytes]) -> None:
    archive = _tar(tmp_path / "a.tgz", [member])
    with pytest.raises(UserError, match="link .* outside the target folder"):
        _extract(archive, tmp_path)


def test_devices_are_refused_and_inner_links_become_copies(tmp_path: Path) -> None:
    pipe = tarfile.TarInfo("pipe")
    pipe.type = tarfile.FIFOTYPE
    with pytest.raises(UserError, match="neither a file nor a folder"):
        _extract(_tar(tmp_path / "p.tar", [(pipe, b"")], "w"), tmp_path)
    members = [(tarfile.TarInfo("d/real"), b"content"), _link("d/link", "real")]
    out = _extract(_tar(tmp_path / "l.tar", members, "w"), tmp_path)
    assert _files(out) == {"d/real": b"content", "d/link": b"content"}
    assert not (out / "d/link").is_symlink()


def test_spaces_and_other_letters(tmp_path: Path) -> None:
    names = {"ein ordner/grüße 1.jpg": b"a", "深/x.jpg": b"b"}
    assert _files(_extract(_zip(tmp_path / "a b ü.zip", names), tmp_path)) == names


def test_strip_merges_into_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "out/images").mkdir(parents=True)
    (tmp_path / "out/split.json").write_text("kept")
    (tmp_path / "out/images/old.jpg").write_text("kept")
    archive = _zip(
        tmp_path / "a.zip",
        {"v1/data/images/new.jpg": b"n", "v1/data/t.txt": b"t", "v1/README": b""},
    )
    out = _extract(archive, tmp_path, strip="v1/data")
    assert sorted(_files(out)) == ["images/new.jpg", "images/old.jpg", "split.json", "t.txt"]
    with pytest.raises(UserError, match="does not contain the folder 'v2'"):
        _extract(archive, tmp_path, strip="v2")


def test_archive_inside_an_archive(tmp_path: Path) -> None:
    inner = _tar(tmp_path / "i.tar.gz", [(tarfile.TarInfo("101/cat/1.jpg"), b"cat")])
    archive = _zip(tmp_path / "a.zip", {"c/i.tar.gz": inner.read_bytes(), "c/readme": b""})
    out = _extract(archive, tmp_path, inner="c/i.tar.gz")
    assert _files(out) == {"101/cat/1.jpg": b"cat"}
    with pytest.raises(UserError, match="does not contain 'c/j.tar.gz'"):
        _extract(archive, tmp_path, inner="c/j.tar.gz")


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_broken_archives_leave_nothing(tmp_path: Path, kind: str) -> None:
    import os

    payload = os.urandom(200_000)
    if kind == "zip":
        archive = _zip(tmp_path / "a.zip", {"a": payload, "b": payload})
        raw = bytearray(archive.read_bytes())
        raw[50_000] ^= 0xFF  # the checksum of "a" no longer fits
        archive.write_bytes(raw)
    else:
        members = [(tarfile.TarInfo("a"), payload), (tarfile.TarInfo("b"), payload)]
        archive = _tar(tmp_path / "a.tar.gz", members)
        archive.write_bytes(archive.read_bytes()[:250_000])
    with pytest.raises(UserError, match="is broken|could not be unpacked|neither"):
        _extract(archive, tmp_path)
    assert not (tmp_path / "out").exists()
    (tmp_path / "page.zip").write_text("<html>quota exceeded</html>")
    with pytest.raises(UserError, match="neither a zip nor a tar archive"):
        _extract(tmp_path / "page.zip", tmp_path)


def test_check_member_accepts_ordinary_names() -> None:
    assert check_member("a/b c/d..e.jpg", "x") == "a/b c/d..e.jpg"
    assert check_member("./a/b", "x") == "a/b"


def test_merge_replaces_files_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "s/d").mkdir(parents=True)
    (tmp_path / "t/d").mkdir(parents=True)
    (tmp_path / "s/d/f").write_text("new")
    (tmp_path / "t/d/f").write_text("old")
    merge(tmp_path / "s", tmp_path / "t")
    assert (tmp_path / "t/d/f").read_text() == "new"


def test_a_link_in_a_zip_archive_is_refused_where_it_is_wanted(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("images/all")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(link, "/etc")
        file.writestr("kept/1.jpg", b"1")
    with pytest.raises(UserError, match="contains the link 'images/all'"):
        _extract(tmp_path / "a.zip", tmp_path / "x")
    assert not (tmp_path / "x/out").exists()
    extract(tmp_path / "a.zip", tmp_path / "y", tmp_path / "work", only=["kept"])
    assert _files(tmp_path / "y") == {"kept/1.jpg": b"1"}
