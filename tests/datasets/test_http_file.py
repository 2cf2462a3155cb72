from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest
from file_server import FileServer

from npt_plugin.datasets import http_file
from npt_plugin.datasets.http_file import fetch_url, reason_of
from npt_plugin.datasets.transfer import Stop, Transfer
from npt_plugin.errors import UserError

BLOB = os.urandom(300_000)

pytestmark = pytest.mark.usefixtures("impatient")


def _fetch(server: FileServer, folder: Path, transfer: Transfer | None = None) -> bytes:
    fetch_url(f"{server.url}/b", folder / "b", transfer or Transfer())
    return (folder / "b").read_bytes()


def test_a_cut_connection_is_continued_where_it_stopped(server: FileServer, tmp_path: Path) -> None:
    server.files["/b"], server.cut = BLOB, 70_000
    assert _fetch(server, tmp_path) == BLOB
    starts = [0, 70_000, 140_000, 210_000, 280_000]
    assert [wanted for _, wanted in server.log] == [None, *(f"bytes={s}-" for s in starts[1:])]


def test_tries_end_when_nothing_comes_any_more_and_the_half_stays(
    server: FileServer, tmp_path: Path
) -> None:
    server.files["/b"], server.cut = BLOB, 0
    (tmp_path / "b").write_bytes(BLOB[:1000])
    with pytest.raises(UserError, match="^the connection ended early$"):
        _fetch(server, tmp_path)
    assert len(server.log) == 3  # and two more
    assert (tmp_path / "b").read_bytes() == BLOB[:1000]
    server.cut = None
    assert _fetch(server, tmp_path) == BLOB


def test_a_server_without_ranges_starts_over_and_bytes_are_counted_once(
    server: FileServer, tmp_path: Path
) -> None:
    server.files["/b"], server.ranges = BLOB, False
    (tmp_path / "b").write_bytes(b"x" * 1000)
    counted = []

    class Counting(Transfer):
        def add(self, count: int) -> None:
            counted.append(count)

    assert _fetch(server, tmp_path, Counting()) == BLOB
    assert sum(counted) == len(BLOB) - 1000  # the thousand had been counted by an earlier run


def test_a_server_that_cuts_and_knows_no_ranges_is_given_up(
    server: FileServer, tmp_path: Path
) -> None:
    server.files["/b"], server.ranges, server.cut = BLOB, False, 50_000
    with pytest.raises(UserError, match="ended early"):
        _fetch(server, tmp_path)
    assert len(server.log) == 3


def test_another_range_than_asked_for_is_not_glued_on(server: FileServer, tmp_path: Path) -> None:
    server.files["/b"], server.first_of_range = BLOB, lambda first: first - 10
    (tmp_path / "b").write_bytes(BLOB[:1000])
    assert _fetch(server, tmp_path) == BLOB  # thrown away and started again
    assert [wanted for _, wanted in server.log] == ["bytes=1000-", None]


def test_all_of_it_is_here_already(server: FileServer, tmp_path: Path) -> None:
    server.files["/b"] = BLOB
    (tmp_path / "b").write_bytes(BLOB)  # killed between the last byte and the next step
    assert _fetch(server, tmp_path) == BLOB
    (tmp_path / "b").write_bytes(BLOB + b"more")  # half of another, longer file
    assert _fetch(server, tmp_path) == BLOB


def test_slow_is_slow_and_silent_is_an_error(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["/b"], server.stall = BLOB, 0.3
    monkeypatch.setattr(http_file, "TIMEOUT", 5)
    assert _fetch(server, tmp_path) == BLOB
    (tmp_path / "b").unlink()
    monkeypatch.setattr(http_file, "TIMEOUT", 0.05)
    with pytest.raises(UserError, match=r"^no byte in 0.05 seconds$"):
        _fetch(server, tmp_path)


def test_dead_links_are_not_asked_twice_and_busy_servers_are(
    server: FileServer, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="^HTTP 404 Not Found$"):
        _fetch(server, tmp_path)
    assert len(server.log) == 1
    server.files["/b"], server.codes["/b"] = BLOB, [503, 429]
    assert _fetch(server, tmp_path) == BLOB
    server.codes["/b"] = [403]
    (tmp_path / "b").unlink()
    with pytest.raises(UserError, match="HTTP 403"):
        _fetch(server, tmp_path)


def test_nobody_at_the_other_end(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="[Rr]efused"):
        fetch_url("http://127.0.0.1:9/b", tmp_path / "b", Transfer())


def test_a_web_page_is_not_taken_for_the_file(server: FileServer, tmp_path: Path) -> None:
    server.files["/b"], server.types["/b"] = b"<html>log in</html>", "text/html; charset=utf-8"
    (tmp_path / "b").write_bytes(BLOB[:10])
    with pytest.raises(UserError, match="web page in the file's place"):
        _fetch(server, tmp_path)
    assert (tmp_path / "b").read_bytes() == BLOB[:10]  # the real half is not lost


def test_a_full_disk_is_no_reason_to_try_again(server: FileServer, tmp_path: Path) -> None:
    class Full(Transfer):
        def add(self, count: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    server.files["/b"] = BLOB
    with pytest.raises(UserError, match="No space left"):
        _fetch(server, tmp_path, Full())
    assert len(server.log) == 1


def test_a_stop_ends_it_between_two_chunks_and_while_it_waits(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["/b"] = BLOB
    transfer = Transfer()
    transfer.stop()
    with pytest.raises(Stop):
        _fetch(server, tmp_path, transfer)
    monkeypatch.setattr(http_file, "PAUSES", (60.0,))
    waiting = Transfer()
    threading.Timer(0.2, waiting.stop).start()
    server.codes["/b"] = [503, 503]
    with pytest.raises(Stop):
        _fetch(server, tmp_path, waiting)


def test_redirects_and_an_endpoint_of_ones_own(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["/cdn"], server.redirects["/org/x/resolve/1/b"] = BLOB, "/cdn"
    monkeypatch.setenv("HF_ENDPOINT", f"{server.url}/")
    fetch_url("https://huggingface.co/org/x/resolve/1/b", tmp_path / "b", Transfer())
    assert (tmp_path / "b").read_bytes() == BLOB


def test_reasons_are_short() -> None:
    assert reason_of(TimeoutError()) == "no byte in 60 seconds"
    assert reason_of(ConnectionResetError()) == "ConnectionResetError"
