"""CIFAR's binary files, unpacked once to PNG so that they read like any other dataset."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from npt_plugin.datasets.source import Record
from npt_plugin.datasets.split import write_split
from npt_plugin.errors import UserError
from npt_plugin.system.progress import progress

PIXELS = 3 * 32 * 32
STALE_SECONDS = 3600


@dataclass(frozen=True)
class CifarFiles:
    """Names of the files and folders of CIFAR-10 or CIFAR-100.

    Args:
        folder: Folder of the binary archive.
        train, test: Binary files in order.
        names: Class-name file, one per line.
        label_bytes: Label bytes in front of each image; the last is the class.
        python_folder: Folder of the Python archive, whose files are pickles and stay closed.
    """

    folder: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    names: str
    label_bytes: int
    python_folder: str


CIFAR10 = CifarFiles(
    "cifar-10-batches-bin",
    tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
    ("test_batch.bin",),
    "batches.meta.txt",
    1,
    "cifar-10-batches-py",
)
CIFAR100 = CifarFiles(
    "cifar-100-binary", ("train.bin",), ("test.bin",), "fine_label_names.txt", 2, "cifar-100-python"
)


def read_binary(path: Path, label_bytes: int) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of one file.

    Args:
        path: A ``.bin`` file.
        label_bytes: 1 (CIFAR-10) or 2 (CIFAR-100: coarse, fine).

    Returns:
        uint8 images, (N, 32, 32, 3), and labels, (N,).

    Raises:
        UserError: Absent, or not a whole number of records.
    """
    try:
        raw = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise UserError(f"'{path}' cannot be read ({error.strerror}).") from error
    record = label_bytes + PIXELS
    if raw.size == 0 or raw.size % record:
        raise UserError(f"'{path}' is cut short or no CIFAR binary file; download it again.")
    rows = raw.reshape(-1, record)  # (N, labels + pixels)
    images = rows[:, label_bytes:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)  # (N, 32, 32, 3)
    return images, rows[:, label_bytes - 1].astype(int)


def unpack(base: Path, files: CifarFiles, split_name: str) -> None:
    """Write ``images/{train,test}/<class>/<number>.png`` and the split file under ``base``.

    Lossless. Works in a side folder that is renamed at the end, and the split file comes last: a
    killed run leaves nothing that looks complete.

    Args:
        base: Dataset folder; holds ``files.folder``.
        files: Which CIFAR.
        split_name: Name of the split file.

    Raises:
        UserError: The binary files are absent, cut short, or name fewer classes than labels.
    """
    source = base / files.folder
    if not source.is_dir():
        python = base / files.python_folder
        note = (
            f"'{python}' holds the Python version, whose files are pickles and are not opened"
            if python.is_dir()
            else f"'{source}' does not exist"
        )
        raise UserError(f"{note}; get the binary version with `npt data download`.")
    names = [n for n in (source / files.names).read_text(encoding="utf-8").split("\n") if n.strip()]
    for left in base.glob(".images.*"):  # of a killed run; a running one is younger
        if time.time() - left.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=".images.", dir=base))
    try:
        work.chmod(0o755)  # mkdtemp makes it private
        parts = {
            part: _unpack_part(source, members, files, work, part, names)
            for part, members in (("train", files.train), ("test", files.test))
        }
        if not (base / split_name).exists():  # another process may have been faster
            shutil.rmtree(base / "images", ignore_errors=True)
            os.replace(work, base / "images")
            write_split(base / split_name, parts["train"], [], parts["test"])
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _unpack_part(
    source: Path,
    members: tuple[str, ...],
    files: CifarFiles,
    work: Path,
    part: str,
    names: list[str],
) -> list[Record]:
    records: list[Record] = []
    for member in members:
        images, labels = read_binary(source / member, files.label_bytes)
        if labels.max() >= len(names):
            raise UserError(f"'{source / member}' has label {labels.max()}, of {len(names)} names.")
        for image, label in progress(
            zip(images, labels, strict=True), desc=f"unpacking {member}", total=len(labels)
        ):
            name = names[label]
            place = f"{part}/{name}/{len(records):05d}.png"
            (work / place).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(work / place, compress_level=1)
            records.append(Record(place, int(label), name))
    return records
