"""One file from one place: fetched, and looked at before anybody takes it for what it should be."""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from pathlib import Path

from npt_plugin.datasets.archives import Mirror
from npt_plugin.datasets.http_file import fetch_url
from npt_plugin.datasets.split import read_json
from npt_plugin.datasets.transfer import Transfer
from npt_plugin.datasets.zip_member import fetch_member
from npt_plugin.errors import UserError

TARS = (".tar", ".tgz", ".gz")


def fetch(mirror: Mirror, partial: Path, transfer: Transfer) -> None:
    """Fetch one file whole and right into ``partial``.

    Args:
        mirror: Where it is, and what tells a good copy.
        partial: Kept, and continued the next time, unless its content is wrong.
        transfer: Counts the bytes.

    Raises:
        UserError: The reason, without the name of the file.
    """
    partial.parent.mkdir(parents=True, exist_ok=True)
    if mirror.member:
        fetch_member(mirror.url, mirror.member, partial)
    elif mirror.gdrive:
        _from_drive(mirror.gdrive, partial)
    elif not (mirror.bytes and partial.exists() and partial.stat().st_size == mirror.bytes):
        fetch_url(mirror.url, partial, transfer)
    wrong = what_is_wrong(partial, mirror)
    if wrong:
        partial.unlink()
        raise UserError(wrong)


def what_is_wrong(path: Path, mirror: Mirror) -> str:
    """How a file differs from what lies at a mirror; empty if nothing is known against it.

    Args:
        path: The file, under any name.
        mirror: Says its size and checksums, where they are known, and its format.
    """
    with open(path, "rb") as file:
        start = file.read(512).lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page came in the file's place (a quota, a login?)"
    if mirror.bytes and path.stat().st_size != mirror.bytes:
        return f"it has {path.stat().st_size:,} bytes, not {mirror.bytes:,}"
    for kind in ("md5", "sha256"):
        wanted = getattr(mirror, kind)
        if wanted and digest_of(path, kind) != wanted:
            return f"it has another checksum than {kind} {wanted}"
    return _wrong_format(path, mirror.file)


def digest_of(path: Path, kind: str) -> str:
    """Checksum of a file: against damage; MD5 only because publishers give no other."""
    with open(path, "rb") as file:
        return hashlib.file_digest(
            file, lambda: hashlib.new(kind, usedforsecurity=False)
        ).hexdigest()


def _wrong_format(path: Path, name: str) -> str:
    if name.endswith(".zip"):
        return "" if zipfile.is_zipfile(path) else "it is no zip archive"
    if name.endswith(TARS):
        return "" if tarfile.is_tarfile(path) else "it is no tar archive"
    if name.endswith(".json"):
        try:
            read_json(path)
        except UserError:
            return "it is no JSON file"
    return ""


def _from_drive(file_id: str, partial: Path) -> None:
    import gdown  # only here: most machines that train never download

    try:
        if gdown.download(id=file_id, output=str(partial), quiet=True, resume=True) is None:
            raise UserError("nothing came")
    except Exception as error:  # gdown raises its own kinds, and others across versions
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            f"{reason}; in a browser: https://drive.google.com/uc?id={file_id}"
        ) from error
    if not partial.exists():
        raise UserError("nothing came")
