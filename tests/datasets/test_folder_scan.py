from __future__ import annotations

from pathlib import Path

import pytest
from mini_trees import put
from PIL import Image

from npt_plugin.datasets.folder_scan import SUFFIXES, FolderScan, is_taken


def test_images_are_sorted_and_the_rest_is_told_apart(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.jpg", ".hidden.jpg", "sub/c.jpg", "sub/.d/e.jpg", "f.HEIC", "g"):
        put(tmp_path / "cat" / name)
    scan = FolderScan(str(tmp_path))
    assert scan.images("cat") == ["a.jpg", "b.PNG"]
    assert scan.images("absent") == []
    assert scan.nested == ["cat/sub/c.jpg"]
    assert scan.unread == {".heic": 1} and scan.strange == {"no suffix": 1}


def test_images_beside_the_classes(tmp_path: Path) -> None:
    for name in ("a.jpg", "cat/b.jpg", "valid/cat/c.jpg", "valid/list.txt", "names.txt"):
        put(tmp_path / name)
    scan = FolderScan(str(tmp_path))
    scan.beside()
    scan.beside("valid", deep=True)
    assert scan.loose == ["a.jpg", "valid/cat/c.jpg"]
    (line,) = scan.problems("Mine")
    assert line.startswith(
        "Mine: 2 image(s) that belong to no class are left out, the first is 'a."
    )
    assert scan.remarks("Mine") == []


@pytest.mark.parametrize("readable", [True, False])
def test_avif_is_taken_where_pillow_reads_it(
    monkeypatch: pytest.MonkeyPatch, readable: bool, tmp_path: Path
) -> None:
    known = {".avif": "AVIF"} if readable else {}
    monkeypatch.setattr(Image, "registered_extensions", lambda: known)
    put(tmp_path / "cat/a.avif")
    scan = FolderScan(str(tmp_path))
    assert scan.images("cat") == (["a.avif"] if readable else [])
    assert bool(scan.problems("Mine")) is not readable
    assert all(is_taken("x" + suffix.upper()) for suffix in SUFFIXES)


@pytest.mark.skipif(
    ".avif" not in Image.registered_extensions(), reason="this Pillow does not read AVIF"
)
def test_an_avif_file_is_read(tmp_path: Path) -> None:
    from npt_plugin.datasets.images import read_image

    Image.new("RGB", (16, 16), (200, 30, 60)).save(tmp_path / "a.avif")
    red, green, blue = read_image(str(tmp_path / "a.avif")).getpixel((8, 8))
    assert abs(red - 200) < 12 and abs(green - 30) < 12 and abs(blue - 60) < 12
