from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from npt_plugin.datasets.images import BadImageError, ImageCache, read_image
from npt_plugin.errors import UserError


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "bild ü.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)).save(path)
    return path


def test_pixels_are_those_of_the_file(picture: Path) -> None:
    assert read_image(str(picture)).tobytes() == Image.open(picture).tobytes()
    assert read_image(str(picture)).mode == "RGB"


def test_a_16_bit_file_is_not_white(tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(80, 162, (50, 40))
    Image.fromarray((grey * 257).astype(np.uint16)).save(tmp_path / "deep.png")
    read = np.asarray(read_image(str(tmp_path / "deep.png")))
    assert abs(read.mean() - grey.mean()) < 1


def test_the_memory_cache_decodes_once(picture: Path) -> None:
    cache = ImageCache("memory")
    first = cache(str(picture))
    os.unlink(picture)
    assert cache(str(picture)) is first


def test_without_a_cache_a_replaced_file_is_seen(picture: Path) -> None:
    cache = ImageCache("")
    cache(str(picture))
    Image.new("RGB", (2, 2), (1, 2, 3)).save(picture)
    assert cache(str(picture)).getpixel((0, 0)) == (1, 2, 3)


@pytest.mark.parametrize("mode", ["disk", "ram"])
def test_unknown_modes_are_refused(mode: str) -> None:
    with pytest.raises(UserError, match=f"IMAGE_CACHE is '{mode}'; use memory, or leave it empty"):
        ImageCache(mode)


@pytest.mark.parametrize("content", [b"", b"no image at all", None])
def test_an_unreadable_image_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "kaputt ü.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadImageError, match=f"The image '{path}' cannot be read") as caught:
        read_image(str(path))
    assert "\n" not in str(caught.value)


def test_values_without_a_range_are_named(tmp_path: Path) -> None:
    path = tmp_path / "depth.tif"
    Image.fromarray(np.ones((4, 4), np.float32)).save(path)
    with pytest.raises(BadImageError, match="depth.tif' cannot be read .it holds values of no fix"):
        read_image(str(path))


def test_a_workers_wrapping_is_taken_off() -> None:
    error = BadImageError("The image 'x' cannot be read.")
    wrapped = (
        f"Caught BadImageError in DataLoader worker 0.\nTraceback ...\nx.BadImageError: {error}\n"
    )
    assert str(BadImageError(wrapped)) == str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_for_a_while_images_are_kept_as_far_as_there_is_room(picture: Path, tmp_path: Path) -> None:
    cache, other = ImageCache(""), tmp_path / "other.png"
    Image.new("RGB", (9, 7)).save(other)
    with cache.within(room=9 * 7 * 3):
        first, second = cache(str(picture)), cache(str(other))
        assert cache(str(picture)) is first and cache(str(other)) is not second
    assert cache(str(picture)) is not first and not cache.kept
    always = ImageCache("memory")
    kept = always(str(picture))
    with always.within(room=0):
        assert always(str(picture)) is kept
