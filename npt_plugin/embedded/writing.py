"""Writing a benchmark to disk: all or nothing, safe when killed, rerun or run twice at once."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image

from npt_plugin.embedded.specs import Spec, spec_of
from npt_plugin.errors import UserError
from npt_plugin.system.progress import progress

VERSION = 2
"""Raised whenever a drawing changes, so that old pictures are drawn again."""
PER_CLASS = (32, 8, 40)  # pictures a class in train, val and test
MANIFEST = "npt_plugin_drawn.json"
_STALE_SECONDS = 3600


def split_path(folder: Path, spec: Spec) -> Path:
    """Where a benchmark's split file is.

    Args:
        folder: The benchmark's own folder.
        spec: The benchmark.
    """
    return folder / f"split_zhou_{spec.name}.json"


def is_complete(folder: Path, spec: Spec, per_class: tuple[int, int, int]) -> bool:
    """Tell whether a folder holds this version of a benchmark with all its pictures.

    Args:
        folder: The benchmark's own folder.
        spec: The benchmark.
        per_class: Pictures a class in train, val and test.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if manifest != _manifest(spec, per_class) or not split_path(folder, spec).is_file():
        return False
    found = sum(1 for _ in (folder / "images").glob("*/*"))
    return found == sum(per_class) * len(spec.class_names)


def ensure_one(root: Path, name: str, per_class: tuple[int, int, int]) -> Path:
    """Write one benchmark unless it is complete.

    The pictures go to a temporary folder beside the target, which is renamed at the end.

    Args:
        root: Data root.
        name: Registry name.
        per_class: Pictures a class in train, val and test.

    Returns:
        The benchmark's folder.

    Raises:
        UserError: For an unknown name, or a folder in the way that this package did not write.
    """
    spec = spec_of(name)
    folder = root / spec.directory
    if is_complete(folder, spec, per_class):
        return folder
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise UserError(
            f"{folder} exists but was not written by npt_plugin: move it away or choose another "
            "data root."
        )
    root.mkdir(parents=True, exist_ok=True)
    _sweep(root, spec)
    work = Path(tempfile.mkdtemp(prefix=f".{spec.directory}.building-", dir=root))
    try:
        _fill(work, spec, per_class)
        _swap(work, folder, spec, per_class)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def _manifest(spec: Spec, per_class: tuple[int, int, int]) -> dict[str, Any]:
    return {
        "name": spec.name,
        "version": VERSION,
        "per_class": list(per_class),
        "classes": len(spec.class_names),
    }


def _sweep(root: Path, spec: Spec) -> None:
    """Remove building folders that a killed process left more than an hour ago."""
    for left in root.glob(f".{spec.directory}.building-*"):
        try:
            if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
        except FileNotFoundError:  # another process was faster
            continue


def _fill(work: Path, spec: Spec, per_class: tuple[int, int, int]) -> None:
    """Draw all pictures, the split and the manifest into ``work``."""
    work.chmod(0o755)  # mkdtemp makes private folders
    split: dict[str, list[list[str | int]]] = {"train": [], "val": [], "test": []}
    for label, name in enumerate(
        progress(spec.class_names, desc=f"drawing {spec.name}", unit="class")
    ):
        place = name.replace(" ", "_")
        (work / "images" / place).mkdir(parents=True)
        number = 0
        for part, count in zip(split, per_class, strict=True):
            for _ in range(count):
                path = f"{place}/{number:04d}.jpg"
                picture = Image.fromarray(spec.picture(label, number))
                picture.save(work / "images" / path, quality=95, subsampling=0)
                split[part].append([path, label, name])
                number += 1
    split_path(work, spec).write_text(json.dumps(split), encoding="utf-8")
    (work / MANIFEST).write_text(json.dumps(_manifest(spec, per_class)), encoding="utf-8")


def _swap(work: Path, folder: Path, spec: Spec, per_class: tuple[int, int, int]) -> None:
    """Move the finished folder into place, unless another process has put one there."""
    for _ in range(5):
        try:
            work.rename(folder)
            return
        except OSError:
            if is_complete(folder, spec, per_class):
                return
            grave = work.with_name(work.name + "-old")
            try:
                folder.rename(grave)
            except FileNotFoundError:
                continue
            shutil.rmtree(grave, ignore_errors=True)
    raise UserError(
        f"Cannot move the drawn pictures to {folder}: check that no other program is using it."
    )
