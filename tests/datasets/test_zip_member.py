from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest
from file_server import FileServer

from npt_plugin.datasets.zip_member import RemoteFile, fetch_member
from npt_plugin.errors import UserError

SPLIT = b'{"train": [], "val": [], "test": []}'


def _zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


ARCHIVE = _zip(
    {
        "set/images/a.jpg": os.urandom(2_000_000),
        "set/old/split_zhou_Set.json": b"deeper",
        "set/split_zhou_Set.json": SPLIT,
        "set/images/b.jpg": os.urandom(2_000_000),
    }
)


def test_one_member_comes_without_the_archive(server: FileServer, tmp_path: Path) -> None:
    server.files["/s.zip"] = ARCHIVE
    server.redirects["/link"] = "/s.zip"
    fetch_member(f"{server.url}/link", "split_zhou_Set.json", tmp_path / "s.json")
    assert (tmp_path / "s.json").read_bytes() == SPLIT  # the one that lies higher
    sent = 0
    for path, wanted in server.log:
        if path == "/s.zip":
            first, last = wanted.removeprefix("bytes=").split("-")
            sent += int(last) - int(first) + 1
    assert sent < len(ARCHIVE) / 4
    assert server.asked("/link") == 1  # later requests go where it led


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ranges": False}, "only sends whole files"),
        ({"files": {}}, "HTTP 404"),
        ({"files": {"/s.zip": ARCHIVE[:-30]}}, "broken"),
        ({"files": {"/s.zip": _zip({"a": b"1"})}}, "holds no 'split_zhou_Set.json'"),
        ({"cut": 10}, "."),
        ({"types": {"/s.zip": "text/html"}}, "web page"),
    ],
)
def test_what_can_go_wrong(server: FileServer, tmp_path: Path, change: dict, reason: str) -> None:
    server.files["/s.zip"] = ARCHIVE
    for name, value in change.items():
        setattr(server, name, value)
    with pytest.raises(UserError, match=reason):
        fetch_member(f"{server.url}/s.zip", "split_zhou_Set.json", tmp_path / "s.json")
    assert not (tmp_path / "s.json").exists()


def test_it_reads_as_a_file_does(server: FileServer) -> None:
    content = os.urandom(1000)
    server.files["/f"] = content
    file = io.BufferedReader(RemoteFile(f"{server.url}/f"), 64)
    file.seek(-100, io.SEEK_END)
    assert file.read() == content[-100:] and file.read() == b""
    file.seek(10)
    assert file.read(300) == content[10:310] and file.tell() == 310
