"""A SHA-256 inside a checkpoint file, so that one flipped bit is noticed.

``torch.save`` writes a zip archive, and ``torch.load`` does not look at its checksums. The seal is
the archive's comment, which PyTorch and every zip tool skip: the digest of all bytes before it.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from typing import BinaryIO

_END = b"PK\x05\x06"
_END_BYTES = 22
"""An archive's last record: signature, counts and offsets, length of the comment (2 bytes)."""

_LONGEST_COMMENT = 2**16
_MARK = b"sha256 "
_SEAL_BYTES = len(_MARK) + 2 * hashlib.sha256().digest_size


def seal(file: BinaryIO) -> None:
    """Put the seal at the end of an archive that ``torch.save`` has just written.

    Args:
        file: Open for reading and writing.

    Raises:
        ValueError: It is no zip archive, or has a comment.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END_BYTES))
    end = file.read()
    if not end.startswith(_END) or end[-2:] != b"\0\0":
        raise ValueError("only a zip archive without a comment can be sealed")
    file.seek(size - 2)
    file.write(_SEAL_BYTES.to_bytes(2, "little"))
    file.write(_MARK + _digest(file, size))


def is_intact(path: str | os.PathLike[str]) -> bool:
    """Whether a checkpoint file is as it was written, as far as the file can tell.

    With a seal every byte counts. Without (files of other projects) the archive's own checksums
    tell about the content of its records; a file that is no archive tells nothing.

    Args:
        path: File that ``torch.save`` wrote, sealed or not.
    """
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END_BYTES - _LONGEST_COMMENT))
        tail = file.read()
        start = tail.rfind(_END)
        comment = tail[start + _END_BYTES :]
        if start >= 0 and (comment or tail[-2:] != b"\0\0"):
            return comment == _MARK + _digest(file, size - len(comment))
    return not _begins_as_zip(path) or _records_hold(path)


def _digest(file: BinaryIO, size: int) -> bytes:
    """Hexadecimal SHA-256 of the first ``size`` bytes; leaves the file at their end."""
    found = hashlib.sha256()
    file.seek(0)
    while size:
        block = file.read(min(size, 2**20))
        found.update(block)
        size -= len(block)
    return found.hexdigest().encode()


def _begins_as_zip(path: str | os.PathLike[str]) -> bool:
    with open(path, "rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _records_hold(path: str | os.PathLike[str]) -> bool:
    """Whether every record has its CRC-32; PyTorch can be told to write none that holds."""
    wrong = 0
    try:
        with zipfile.ZipFile(path) as archive:
            records = archive.infolist()
            for record in records:
                wrong += not _holds(archive, record)
    except Exception:  # a damaged directory trips the reader in any way there is
        return False
    return wrong in (0, len(records))


def _holds(archive: zipfile.ZipFile, record: zipfile.ZipInfo) -> bool:
    try:
        with archive.open(record) as content:
            while content.read(2**20):
                pass
    except zipfile.BadZipFile:
        return False
    return True
