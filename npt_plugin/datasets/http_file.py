"""One file over HTTP: resumed where the server can, started again where it cannot."""

from __future__ import annotations

import errno
import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from npt_plugin.datasets.transfer import Transfer
from npt_plugin.errors import UserError

CHUNK = 1 << 20
TIMEOUT = 60  # seconds without a byte
PAUSES = (1.0, 4.0, 15.0)
"""Seconds before each further try; a try that brought something starts the list again."""

_WORTH_A_TRY = {408, 425, 429, 500, 502, 503, 504}
_HUB = "https://huggingface.co/"
_FAILURES = (urllib.error.URLError, http.client.HTTPException, OSError)


def open_url(url: str, byte_range: str = "") -> Any:
    """Open a link; ``HF_ENDPOINT``, where it is set, stands for huggingface.co.

    Args:
        url: http or https.
        byte_range: Value of a ``Range`` header without ``bytes=``, or empty.

    Raises:
        OSError: No connection, or an answer of 400 and above (``urllib.error.HTTPError``).
        UserError: The server sends a web page, which is never what a data set is made of.
    """
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/")
    if endpoint and url.startswith(_HUB):
        url = f"{endpoint}/{url.removeprefix(_HUB)}"
    headers = {"User-Agent": "npt_plugin"}
    if byte_range:
        headers["Range"] = f"bytes={byte_range}"
    response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT)
    if response.headers.get_content_type() == "text/html":
        response.close()
        raise UserError("the server sends a web page in the file's place")
    return response


def fetch_url(url: str, partial: Path, transfer: Transfer) -> None:
    """Download into ``partial``, continuing what is there already.

    Args:
        url: Direct link.
        partial: Holds what has arrived, whatever happens.
        transfer: Counts the bytes.

    Raises:
        UserError: The reason, without the name of the file, once trying again is no use.
    """
    most, tries = 0, 0
    while True:
        try:
            return _receive(url, partial, transfer)
        except _FAILURES as error:
            have = partial.stat().st_size if partial.exists() else 0
            tries = 0 if have > most else tries
            most = max(most, have)
            if _hopeless(error) or tries == len(PAUSES):
                raise UserError(f"{reason_of(error)}") from error
        if transfer.stopped.wait(PAUSES[tries]):
            transfer.add(0)  # raises
        tries += 1


def reason_of(error: BaseException) -> str:
    """Why a transfer failed, in a few words."""
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    if isinstance(error, TimeoutError):
        return f"no byte in {TIMEOUT} seconds"
    return str(getattr(error, "reason", None) or error) or type(error).__name__


def _hopeless(error: BaseException) -> bool:
    if isinstance(error, urllib.error.HTTPError):
        return error.code not in _WORTH_A_TRY
    return getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS)


def _receive(url: str, partial: Path, transfer: Transfer) -> None:
    have = partial.stat().st_size if partial.exists() else 0
    try:
        response = open_url(url, f"{have}-" if have else "")
    except urllib.error.HTTPError as error:
        if error.code != 416 or not have:
            raise
        if _total(error.headers.get("Content-Range")) not in (None, have):
            partial.unlink()  # longer than the file: it belongs to another one
            raise OSError("the half file here is longer than the file there") from error
        return  # nothing left to send: it is all here
    with response:
        continues = response.status == 206 and _start(response) == have
        if have and not continues:
            transfer.add(-have)
        if response.status == 206 and not continues:
            partial.unlink()
            raise OSError("the server sent another range than was asked for")
        have = have if continues else 0
        length = response.headers.get("Content-Length")
        with open(partial, "ab" if continues else "wb") as file:
            while chunk := response.read1(CHUNK):
                file.write(chunk)
                transfer.add(len(chunk))
    if length and partial.stat().st_size < have + int(length):
        raise OSError("the connection ended early")


def _start(response: Any) -> int | None:
    """First byte of ``Content-Range: bytes 5-9/10``."""
    words = (response.headers.get("Content-Range") or "").removeprefix("bytes ").split("-")
    return int(words[0]) if words[0].isdigit() else None


def _total(content_range: str | None) -> int | None:
    """Length of the whole file in ``Content-Range: bytes */10``."""
    length = (content_range or "").rpartition("/")[2]
    return int(length) if length.isdigit() else None
