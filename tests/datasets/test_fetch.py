from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from file_server import FileServer
from toy_entries import md5, tarred, zipped

from npt_plugin.datasets.archives import Mirror
from npt_plugin.datasets.fetch import digest_of, fetch, what_is_wrong
from npt_plugin.datasets.transfer import Transfer
from npt_plugin.errors import UserError

ZIP = zipped({"a": b"1"})
SHA = hashlib.sha256(ZIP).hexdigest()

GOOD = [
    ("a.zip", ZIP, {"md5": md5(ZIP), "sha256": SHA, "bytes": len(ZIP)}),
    ("a.tgz", tarred({"a": b"1"}), {}),
    ("a.json", b"{}", {}),
    ("imagelabels.mat", b"MATLAB 5.0", {}),
    ("classnames.txt", b"n01440764 tench\n", {}),
]
WRONG = [
    ("a.zip", ZIP, {"md5": "0" * 32}, "another checksum than md5 0000"),
    ("a.zip", ZIP, {"sha256": "0" * 64}, "another checksum than sha256"),
    ("a.zip", ZIP, {"bytes": 5}, f"it has {len(ZIP)} bytes, not 5"),
    ("a.zip", b"half a", {}, "no zip archive"),
    ("a.tar.gz", ZIP, {}, "no tar archive"),
    ("a.json", b'{"train": [', {}, "no JSON"),
    ("a.json", b"\n <!DOCTYPE html><title>Quota exceeded</title>", {}, "a web page"),
    ("classnames.txt", b"<HTML>", {}, "a web page"),
]


@pytest.mark.parametrize(("name", "content", "facts"), GOOD, ids=[g[0] for g in GOOD])
def test_good_files(
    server: FileServer, tmp_path: Path, name: str, content: bytes, facts: dict[str, Any]
) -> None:
    server.files["/f"] = content
    fetch(Mirror("publisher", f"{server.url}/f", file=name, **facts), tmp_path / "x", Transfer())
    assert (tmp_path / "x").read_bytes() == content


@pytest.mark.parametrize(("name", "content", "facts", "reason"), WRONG)
def test_wrong_content_is_not_kept(
    server: FileServer, tmp_path: Path, name: str, content: bytes, facts: dict, reason: str
) -> None:
    server.files["/f"] = content
    mirror = Mirror("publisher", f"{server.url}/f", file=name, **facts)
    with pytest.raises(UserError, match=reason):
        fetch(mirror, tmp_path / "x", Transfer())
    assert not (tmp_path / "x").exists()


def test_a_whole_file_of_known_size_is_not_asked_for(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(ZIP)
    mirror = Mirror("publisher", f"{server.url}/f", file="a.zip", md5=md5(ZIP), bytes=len(ZIP))
    fetch(mirror, tmp_path / "x", Transfer())
    assert not server.log


def test_google_drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gdown = pytest.importorskip("gdown")
    sent: list[bytes | None] = [b"{}", b"<html>Too many users have viewed</html>", None]
    calls: list[dict] = []

    def download(**keys: Any) -> str | None:
        calls.append(keys)
        content = sent.pop(0)
        if content is not None:
            Path(keys["output"]).write_bytes(content)
        return keys["output"]

    monkeypatch.setattr(gdown, "download", download)
    mirror = Mirror("drive", gdrive="abc", file="s.json")
    fetch(mirror, tmp_path / "s", Transfer())
    assert calls[0]["id"] == "abc" and calls[0]["resume"] is True
    with pytest.raises(UserError, match="a web page came"):
        fetch(mirror, tmp_path / "s", Transfer())
    with pytest.raises(UserError, match="nothing came"):
        fetch(mirror, tmp_path / "t", Transfer())

    def quota(**_: Any) -> str:
        raise RuntimeError("Too many users\nhave viewed")

    monkeypatch.setattr(gdown, "download", quota)
    with pytest.raises(UserError, match=r"Too many users; in a browser: https://drive.*id=abc"):
        fetch(mirror, tmp_path / "s", Transfer())


def test_a_file_that_is_looked_at_alone(tmp_path: Path) -> None:
    (tmp_path / "any name").write_bytes(ZIP)
    assert digest_of(tmp_path / "any name", "sha256") == SHA
    assert what_is_wrong(tmp_path / "any name", Mirror("publisher", file="a.zip", sha256=SHA)) == ""
