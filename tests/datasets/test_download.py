"""Downloads from a server on this machine, with interruptions."""

from __future__ import annotations

import hashlib
import io
import json
import os
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from npt_plugin.datasets.archives import Entry, Part
from npt_plugin.datasets.download import download_dataset, fetch_file, md5_of
from npt_plugin.errors import UserError

BLOB = os.urandom(300_000)


def _md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def _zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def server() -> Iterator[SimpleNamespace]:
    """``files`` it serves, ``cut`` bytes after which it drops a connection, ``log`` of ranges."""
    state = SimpleNamespace(files={}, cut=None, ranges=True, log=[])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.log.append((self.path, wanted))
            content = state.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            start = int(wanted[6:-1]) if wanted and state.ranges else 0
            if start and start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            end = len(content) if state.cut is None else min(len(content), start + state.cut)
            self.wfile.write(content[start:end])

        def log_message(self, *args: Any) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{httpd.server_port}"
    yield state
    httpd.shutdown()
    httpd.server_close()


def test_whole_file(server: Any, tmp_path: Path) -> None:
    server.files["/b"] = BLOB
    fetch_file(Part("b", f"{server.url}/b", md5=_md5(BLOB)), tmp_path / "sub dir" / "b")
    assert md5_of(tmp_path / "sub dir/b") == _md5(BLOB)
    assert [p.name for p in (tmp_path / "sub dir").iterdir()] == ["b"]


def test_interrupted_download_continues_where_it_stopped(server: Any, tmp_path: Path) -> None:
    server.files["/b"], server.cut = BLOB, 120_000
    part = Part("b", f"{server.url}/b", md5=_md5(BLOB))
    for _ in range(2):
        with pytest.raises(UserError, match="run the command again to continue"):
            fetch_file(part, tmp_path / "b")
        assert not (tmp_path / "b").exists()
    assert (tmp_path / "b.part").stat().st_size == 240_000
    server.cut = None
    fetch_file(part, tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == BLOB
    assert [r for _, r in server.log] == [None, "bytes=120000-", "bytes=240000-"]


def test_server_without_ranges_starts_over(server: Any, tmp_path: Path) -> None:
    server.files["/b"], server.ranges = BLOB, False
    (tmp_path / "b.part").write_bytes(b"x" * 1000)
    fetch_file(Part("b", f"{server.url}/b", md5=_md5(BLOB)), tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == BLOB


def test_a_complete_part_file_is_accepted(server: Any, tmp_path: Path) -> None:
    server.files["/b"] = BLOB
    (tmp_path / "b.part").write_bytes(BLOB)  # killed between the last byte and the rename
    fetch_file(Part("b", f"{server.url}/b", md5=_md5(BLOB)), tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == BLOB


def test_wrong_checksum_is_deleted(server: Any, tmp_path: Path) -> None:
    server.files["/b"] = BLOB
    with pytest.raises(UserError, match="another checksum"):
        fetch_file(Part("b", f"{server.url}/b", md5="0" * 32), tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


def _entry(server: Any, archive: bytes, **keys: Any) -> Entry:
    server.files.update({"/i.zip": archive, "/split": b'{"train": [], "val": [], "test": []}'})
    parts = (
        Part("i.zip", f"{server.url}/i.zip", md5=_md5(archive), into="toy"),
        Part("toy/split_zhou_Toy.json", f"{server.url}/split"),
    )
    expects = ("toy/images", "toy/split_zhou_Toy.json")
    return Entry("Toy", "Toy", "1 kB", "none", expects, parts, **keys)


def test_dataset_from_nothing_to_complete_and_idle_again(server: Any, tmp_path: Path) -> None:
    entry = _entry(server, _zip({"images/a b/1.jpg": b"1", "images/c/2.jpg": b"2"}))
    assert download_dataset(entry, tmp_path) == []
    assert (tmp_path / "toy/images/a b/1.jpg").read_bytes() == b"1"
    assert json.loads((tmp_path / "toy/split_zhou_Toy.json").read_text())["val"] == []
    assert not (tmp_path / ".downloads/Toy/i.zip").exists()  # the archive is not kept
    asked = len(server.log)
    assert download_dataset(entry, tmp_path) == []
    assert len(server.log) == asked  # nothing is fetched twice


def test_killed_while_unpacking(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import npt_plugin.datasets.extract as module

    entry = _entry(server, _zip({f"images/{i}.jpg": b"%d" % i for i in range(9)}))
    real, done = module.shutil.copyfileobj, []

    def dies(*args: Any) -> None:
        done.append(1)
        if len(done) > 4:
            raise KeyboardInterrupt
        real(*args)

    monkeypatch.setattr(module.shutil, "copyfileobj", dies)
    with pytest.raises(KeyboardInterrupt):
        download_dataset(entry, tmp_path)
    assert not (tmp_path / "toy").exists()
    monkeypatch.undo()
    assert download_dataset(entry, tmp_path) == []
    assert len(list((tmp_path / "toy/images").iterdir())) == 9


def test_killed_while_moving_into_place(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import npt_plugin.datasets.extract as module

    entry = _entry(server, _zip({"images/1.jpg": b"1", "images/2.jpg": b"2", "z.txt": b"z"}))
    (tmp_path / "toy/images").mkdir(parents=True)
    real, done = os.replace, []

    def dies(*args: Any) -> None:
        done.append(1)
        if len(done) > 1:
            raise KeyboardInterrupt
        real(*args)

    monkeypatch.setattr(module.os, "replace", dies)
    with pytest.raises(KeyboardInterrupt):
        download_dataset(entry, tmp_path)
    monkeypatch.undo()
    assert download_dataset(entry, tmp_path) == []
    assert sorted(p.name for p in (tmp_path / "toy").rglob("*.*")) == [
        "1.jpg",
        "2.jpg",
        "split_zhou_Toy.json",
        "z.txt",
    ]


def test_evil_archive_leaves_nothing(server: Any, tmp_path: Path) -> None:
    entry = _entry(server, _zip({"images/1.jpg": b"1", "../../evil": b"2"}))
    with pytest.raises(UserError, match="should not be trusted"):
        download_dataset(entry, tmp_path / "root")
    assert not (tmp_path / "root/toy").exists() and not list(tmp_path.rglob("evil"))


def test_dead_link_names_the_manual_steps(server: Any, tmp_path: Path) -> None:
    entry = _entry(server, _zip({"images/1.jpg": b"1"}), manual=("get it from a friend", "unpack"))
    del server.files["/i.zip"]
    with pytest.raises(UserError) as caught:
        download_dataset(entry, tmp_path)
    message = str(caught.value)
    assert "could not be fetched" in message and "Not Found" in message
    assert "(1) get it from a friend; (2) unpack" in message and "\n" not in message


def test_quota_page_instead_of_json(server: Any, tmp_path: Path) -> None:
    entry = _entry(server, _zip({"images/1.jpg": b"1"}))
    server.files["/split"] = b"<html>too many users</html>"
    with pytest.raises(UserError, match="not the expected file"):
        download_dataset(entry, tmp_path)
    server.files["/split"] = b'{"train": [], "val": [], "test": []}'
    assert download_dataset(entry, tmp_path) == []


def test_google_drive_is_resumed_and_its_failure_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gdown = pytest.importorskip("gdown")
    calls: list[dict] = []

    def good(**keys: Any) -> str:
        calls.append(keys)
        Path(keys["output"]).write_text("{}")
        return keys["output"]

    monkeypatch.setattr(gdown, "download", good)
    fetch_file(Part("s.json", gdrive="abc"), tmp_path / "s.json")
    assert calls[0]["id"] == "abc" and calls[0]["resume"] is True
    assert (tmp_path / "s.json").read_text() == "{}"

    def bad(**keys: Any) -> str:
        raise RuntimeError("Too many users\nhave viewed")

    monkeypatch.setattr(gdown, "download", bad)
    with pytest.raises(UserError, match="Too many users.*in a browser") as caught:
        fetch_file(Part("t.json", gdrive="xyz"), tmp_path / "t.json")
    assert f"save it as '{tmp_path / 't.json'}'" in str(caught.value)
