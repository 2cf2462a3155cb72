"""Class folders with a given number of images."""

from __future__ import annotations

from pathlib import Path

from mini_trees import put


def class_folders(base: Path, sizes: dict[str, int]) -> None:
    """``base/<class>/bild 000.JPG``, ..., for each class and its size."""
    for name, size in sizes.items():
        base.joinpath(name).mkdir(parents=True, exist_ok=True)
        for number in range(size):
            put(base / name / f"bild {number:03d}.JPG")
