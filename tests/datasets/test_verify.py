from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from npt_plugin.datasets.source import Record, Source
from npt_plugin.datasets.verify import ORIENTATION, Problem, look_at_images, verify


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    grey = np.full((6, 6), 90)
    Image.fromarray(grey.astype(np.uint8)).save(tmp_path / "plain.png")
    Image.fromarray((grey * 257).astype(np.uint16)).save(tmp_path / "deep.png")
    Image.fromarray(grey.astype(np.float32)).save(tmp_path / "depth.tif")
    turned = Image.Exif()
    turned[ORIENTATION] = 6
    for name in ("turned.jpg", "turned.png"):
        Image.new("RGB", (6, 4)).save(tmp_path / name, exif=turned)
    upright = Image.Exif()
    upright[ORIENTATION] = 1
    Image.new("RGB", (6, 4)).save(tmp_path / "upright.jpg", exif=upright)
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    return tmp_path


def test_every_kind_of_image_is_told(pictures: Path) -> None:
    names = sorted(path.name for path in pictures.iterdir())
    unreadable, remarks = look_at_images(str(pictures), names)
    assert unreadable[0] == "broken.jpg: cannot identify image file"
    assert unreadable[1].startswith("depth.tif: it holds values of no fixed range, mode F")
    assert len(unreadable) == 2
    assert remarks == [
        "2 image(s) carry an EXIF rotation, which is ignored as in the CoOp family, the first is "
        "'turned.jpg'",
        "1 image(s) are 16-bit greyscale, of which the upper 8 bits are used, the first is "
        "'deep.png'",
    ]


def test_a_whole_source(pictures: Path) -> None:
    train = [Record("plain.png", 0, "a"), Record("gone/x.png", 0, "a"), Record("plain.png", 5, "?")]
    source = Source(
        "Mine",
        str(pictures),
        ["a", "A"],
        train,
        test=[Record("broken.jpg", 1, "A")],
        remarks=["a remark"],
        problems=["a problem."],
        refusal="a refusal.",
    )
    facts, problems = verify(source)
    assert facts[1:3] == ["train: 3 images, 0 to 2 per class", "test: 1 images, 0 to 1 per class"]
    assert "a remark" in facts and any("classes 0, 1 are all called 'a'" in f for f in facts)
    lines = [problem.lines() for problem in problems]
    assert lines == [
        ["a refusal."],
        ["a problem."],
        ["unknown label: 1", "  plain.png: label 5 in train"],
        ["class without a training image: 1", "  1 'A'"],
        [f"missing under '{pictures}': 1", "  gone/x.png"],
        ["unreadable: 1", "  broken.jpg: cannot identify image file"],
    ]
    assert sum(problem.number for problem in problems) == 6
    fast = verify(source, decode_images=False)[1]
    assert [problem.kind for problem in fast] == [problem.kind for problem in problems[:-1]]


def test_many_cases_are_counted_by_folder() -> None:
    cases = [f"{folder}/{i}.jpg" for folder in "abcdefg" for i in range(1000)] + ["a/z.jpg"]
    lines = Problem("missing", cases, by_folder=True).lines(shown=2)
    assert lines == [
        "missing: 7,001 (1,001 in a, 1,000 in b and 5 more folders)",
        "  a/0.jpg",
        "  a/1.jpg",
        "  ... and 6,999 more",
    ]
    assert Problem("missing", cases[:2], by_folder=True).lines(shown=2)[0] == "missing: 2"
