"""One dataset from servers on this machine that are slow, cut, wrong or gone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from file_server import FileServer
from toy_entries import EXPECTS, SPLIT, md5, toy, zipped

from npt_plugin.datasets import extract as extract_module
from npt_plugin.datasets.archives import Entry, Mirror, Part
from npt_plugin.datasets.download import bundle_wanted, get_dataset, lacking_parts, missing
from npt_plugin.datasets.placing import Getting, scratch
from npt_plugin.errors import UserError

pytestmark = pytest.mark.usefixtures("impatient")


def _complete(root: Path) -> bool:
    images = {str(p.relative_to(root)) for p in root.glob("toy/images/*/*")}
    split = root / "toy/split_zhou_Toy.json"
    return images == {"toy/images/a b/1.jpg", "toy/images/c/2.jpg"} and split.read_bytes() == SPLIT


def test_from_nothing_to_complete_and_idle_again(server: FileServer, tmp_path: Path) -> None:
    entry = toy(server)
    assert missing(entry, tmp_path) == list(EXPECTS)
    assert get_dataset(entry, Getting(tmp_path)) == []
    assert _complete(tmp_path) and not list(scratch(entry, tmp_path).iterdir())
    asked = len(server.log)
    assert asked == 2
    assert get_dataset(entry, Getting(tmp_path)) == [] and len(server.log) == asked


@pytest.mark.parametrize(
    ("gone", "asked"),
    [
        (["/i.zip"], ["/i.zip", "/split", "/second/i.zip"]),
        (["/i.zip", "/second/i.zip"], ["/i.zip", "/split", "/second/i.zip", "/hub/toy.zip"]),
        (["/split"], ["/i.zip", "/split"]),
    ],
)
def test_the_next_place_is_asked_in_the_stated_order(
    server: FileServer, tmp_path: Path, gone: list[str], asked: list[str]
) -> None:
    entry = toy(server)
    for path in gone:
        del server.files[path]
    assert get_dataset(entry, Getting(tmp_path)) == []
    assert _complete(tmp_path) and not list(tmp_path.rglob("*.pkl"))
    assert list(dict.fromkeys(path for path, _ in server.log))[: len(asked)] == asked
    if gone == ["/split"]:  # out of the hub's archive, in pieces
        assert all(wanted for path, wanted in server.log if path == "/hub/toy.zip")


@pytest.mark.parametrize("content", [b"damaged", b"<html>quota</html>", b""])
def test_a_wrong_file_sends_on_to_the_next_place(
    server: FileServer, tmp_path: Path, content: bytes
) -> None:
    entry = toy(server)
    server.files["/i.zip"] = content
    server.files["/split"] = content
    assert get_dataset(entry, Getting(tmp_path)) == []
    assert _complete(tmp_path)


def test_images_that_are_there_are_not_fetched_for_the_sake_of_a_split(
    server: FileServer, tmp_path: Path
) -> None:
    entry = toy(server)
    (tmp_path / "toy/images").mkdir(parents=True)
    assert [part.file for part in lacking_parts(entry, tmp_path)] == [EXPECTS[1]]
    assert get_dataset(entry, Getting(tmp_path)) == []
    assert server.asked("/i.zip") == 0 and server.asked("/hub/toy.zip") == 0


def test_a_large_archive_is_not_fetched_for_a_small_file(
    server: FileServer, tmp_path: Path
) -> None:
    entry = toy(server)
    del server.files["/split"]
    server.ranges = False  # the member cannot be had alone
    with pytest.raises(UserError, match="publisher: 'toy/split.*HTTP 404.*only sends whole files"):
        get_dataset(entry, Getting(tmp_path))
    assert server.asked("/hub/toy.zip") == 1
    assert (tmp_path / "toy/images/c/2.jpg").exists()  # what could be had is in its place


def test_dead_links_end_in_one_sentence_with_every_reason_and_the_manual_steps(
    server: FileServer, tmp_path: Path
) -> None:
    entry = toy(server, manual=("get it from a friend", "unpack"))
    server.files.clear()
    with pytest.raises(UserError) as caught:
        get_dataset(entry, Getting(tmp_path))
    message = str(caught.value)
    assert message.startswith("Toy: publisher: 'i.zip' could not be had (HTTP 404 Not Found); ")
    assert "torchvision: 'i.zip'" in message and "huggingface: 'toy.zip'" in message
    assert "run the command again to continue. By hand, with ROOT = " in message
    assert message.endswith("(1) get it from a friend; (2) unpack.") and "\n" not in message


def test_an_unsafe_archive_leaves_nothing_and_is_told(server: FileServer, tmp_path: Path) -> None:
    evil = zipped({"images/1.jpg": b"1", "../../evil": b"2"})
    server.files["/e.zip"] = evil
    part = Part(
        "e.zip",
        (Mirror("publisher", f"{server.url}/e.zip", file="e.zip", md5=md5(evil)),),
        ("toy/images",),
        into="toy",
    )
    entry = Entry("Evil", "Evil", "", "", ("toy/images",), (part,))
    with pytest.raises(UserError, match="should not be trusted"):
        get_dataset(entry, Getting(tmp_path / "root"))
    assert not (tmp_path / "root/toy").exists() and not list(tmp_path.rglob("evil"))


def test_killed_while_unpacking(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = toy(server)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(extract_module.shutil, "copyfileobj", dies)
    with pytest.raises(KeyboardInterrupt):
        get_dataset(entry, Getting(tmp_path))
    assert not (tmp_path / "toy").exists()
    monkeypatch.undo()
    assert get_dataset(entry, Getting(tmp_path)) == [] and _complete(tmp_path)


@pytest.mark.parametrize("bundled", [False, True])
def test_killed_while_moving_into_place(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundled: bool
) -> None:
    entry = toy(server)
    if bundled:
        del server.files["/i.zip"], server.files["/second/i.zip"]
    (tmp_path / "toy/images").mkdir(parents=True)  # merged into, entry by entry
    shutil.rmtree(tmp_path / "toy/images") if bundled else (tmp_path / "toy/images").rmdir()
    real, done = os.replace, []

    def dies(source: object, target: object) -> None:
        if "/images" in str(target):
            done.append(target)
            if len(done) == 1:
                Path(target, "half").mkdir(parents=True)  # type: ignore[arg-type]
                raise KeyboardInterrupt
        real(source, target)  # type: ignore[arg-type]

    monkeypatch.setattr(extract_module.os, "replace", dies)
    with pytest.raises(KeyboardInterrupt):
        get_dataset(entry, Getting(tmp_path))
    monkeypatch.undo()
    assert (tmp_path / "toy/images").exists()  # looks complete, and is not
    if bundled:
        assert bundle_wanted(entry, tmp_path) == list(EXPECTS)
    assert get_dataset(entry, Getting(tmp_path)) == []
    shutil.rmtree(tmp_path / "toy/images/half")
    assert _complete(tmp_path) and not list(scratch(entry, tmp_path).iterdir())


def test_given_archives_are_used_first_and_stay_as_they_are(
    server: FileServer, tmp_path: Path
) -> None:
    entry = toy(server)
    given = tmp_path / "given"
    given.mkdir()
    (given / "i.zip").write_bytes(server.files["/i.zip"])
    (given / "split_zhou_Toy.json").write_bytes(SPLIT)
    assert get_dataset(entry, Getting(tmp_path / "a", given)) == []
    assert _complete(tmp_path / "a") and not server.log
    assert sorted(p.name for p in given.iterdir()) == ["i.zip", "split_zhou_Toy.json"]

    for path in list(given.iterdir()):
        path.unlink()
    (given / "toy.zip").write_bytes(server.files["/hub/toy.zip"])
    assert get_dataset(entry, Getting(tmp_path / "b", given)) == []
    assert _complete(tmp_path / "b") and not server.log
    (given / "i.zip").write_bytes(b"something else")
    with pytest.raises(UserError, match="is not the published file"):
        get_dataset(entry, Getting(tmp_path / "c", given))
    assert not server.log and not (tmp_path / "c").exists()


def test_archives_are_kept_when_asked(server: FileServer, tmp_path: Path) -> None:
    entry = toy(server)
    get_dataset(entry, Getting(tmp_path, keep=True))
    kept = scratch(entry, tmp_path) / "i.zip"
    assert kept.read_bytes() == server.files["/i.zip"]
    shutil.rmtree(tmp_path / "toy")
    asked = len(server.log)
    get_dataset(entry, Getting(tmp_path, scratch(entry, tmp_path), keep=True))
    assert _complete(tmp_path) and len(server.log) == asked + 1  # the split alone
    shutil.rmtree(tmp_path / "toy")
    del server.files["/i.zip"], server.files["/second/i.zip"]
    get_dataset(entry, Getting(tmp_path, keep=True))
    assert (scratch(entry, tmp_path) / "toy.zip").exists()


def test_what_nobody_has_is_still_missing(server: FileServer, tmp_path: Path) -> None:
    entry = replace(toy(server), parts=(), bundle=None)
    assert get_dataset(entry, Getting(tmp_path)) == list(EXPECTS)


KILLED = """
import sys
from pathlib import Path
from npt_plugin.datasets.archives import Entry, Mirror, Part
from npt_plugin.datasets.download import get_dataset
from npt_plugin.datasets.placing import Getting

url, md5, root = sys.argv[1:]
place = Mirror("publisher", url, file="i.zip", md5=md5)
part = Part("i.zip", (place,), ("toy/images",), into="toy")
entry = Entry("Toy", "Toy", "", "", ("toy/images",), (part,))
sys.exit(bool(get_dataset(entry, Getting(Path(root)))))
"""


@pytest.mark.slow
def test_a_process_that_is_killed_leaves_what_the_next_one_continues(
    server: FileServer, tmp_path: Path
) -> None:
    archive = zipped({"images/1.jpg": os.urandom(400_000)})
    server.files["/i.zip"], server.drip = archive, 4000  # a second in all
    words = [sys.executable, "-c", KILLED, f"{server.url}/i.zip", md5(archive), str(tmp_path)]
    half = tmp_path / ".downloads/Toy/i.zip.part"
    with subprocess.Popen(words) as process:
        while not (half.exists() and half.stat().st_size > 100_000):
            time.sleep(0.01)
            assert process.poll() is None
        process.kill()
    have = half.stat().st_size
    assert 100_000 < have < len(archive) and not (tmp_path / "toy").exists()
    server.drip = 0
    assert subprocess.run(words).returncode == 0
    assert (tmp_path / "toy/images/1.jpg").stat().st_size == 400_000
    assert server.log == [("/i.zip", None), ("/i.zip", f"bytes={have}-")]
