"""One member of a zip archive on a server, without fetching the archive."""

from __future__ import annotations

import http.client
import io
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from npt_plugin.datasets.http_file import open_url, reason_of
from npt_plugin.errors import UserError

BLOCK = 1 << 18


class RemoteFile(io.RawIOBase):
    """A file on a server that sends parts of files, read where and as far as it is asked.

    Args:
        url: Direct link.

    Raises:
        OSError: No connection, or a server that only sends whole files.
    """

    def __init__(self, url: str) -> None:
        self._place = 0
        with open_url(url, "0-0") as response:
            length = (response.headers.get("Content-Range") or "").rpartition("/")[2]
            if response.status != 206 or not length.isdigit():
                raise OSError("the server only sends whole files")
            self._url, self._length = response.url, int(length)  # where it was redirected to

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Offset of the next byte."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move, as in any file."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._length}[whence]
        self._place = max(0, base + offset)
        return self._place

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # no mmap
        """Fill a buffer as far as the file goes."""
        end = min(self._place + len(buffer), self._length)
        if end <= self._place:
            return 0
        with open_url(self._url, f"{self._place}-{end - 1}") as response:
            content = response.read()
        if len(content) != end - self._place:
            raise OSError("the server sent another range than was asked for")
        buffer[: len(content)] = content
        self._place = end
        return len(content)


def fetch_member(url: str, member: str, target: Path) -> None:
    """Fetch one member of a zip archive.

    Args:
        url: Of the archive.
        member: Last part of the member's name; the first member of that name is taken.
        target: Where it is written.

    Raises:
        UserError: The reason, without the name of the file.
    """
    try:
        with zipfile.ZipFile(io.BufferedReader(RemoteFile(url), BLOCK)) as archive:
            names = [n for n in archive.namelist() if PurePosixPath(n).name == member]
            if not names:
                raise UserError(f"the archive holds no '{member}'")
            target.write_bytes(archive.read(min(names, key=len)))
    except (zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"the archive is broken ({error})") from error
    except (OSError, http.client.HTTPException) as error:
        raise UserError(reason_of(error)) from error
