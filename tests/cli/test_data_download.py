"""``npt data download``: one command, from a server on this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from file_server import FileServer, serving
from mini_trees import BUILDERS
from toy_entries import zipped

from npt_plugin.cli import data_download
from npt_plugin.cli.data import main
from npt_plugin.datasets import http_file
from npt_plugin.datasets.archives import Bundle, Counts, Entry, Mirror
from npt_plugin.datasets.catalogue import CATALOGUE

NAMES = ("EuroSAT", "DescribableTextures")
COUNTS = Counts(5, 95, 38, 57)  # of a miniature tree


def _local(name: str, server: FileServer, work: Path) -> Entry:
    """The catalogue's entry, its links led to this machine, its bundle a miniature tree."""
    BUILDERS[name](work)
    entry = CATALOGUE[name]
    main(["verify", name, "--root", str(work), "--fast"])  # draws the split
    tree = work / entry.folder
    members = {str(p.relative_to(work)): p.read_bytes() for p in tree.rglob("*") if p.is_file()}
    server.files[f"/{name}.zip"] = zipped(members)
    link = f"{server.url}/{name}.zip"
    parts = tuple(
        replace(
            part,
            mirrors=tuple(
                replace(mirror, source="publisher", url=f"{server.url}/dead", gdrive="")
                if not mirror.member
                else replace(mirror, url=link)
                for mirror in part.mirrors
            ),
        )
        for part in entry.parts
    )
    bundle = Bundle(Mirror("huggingface", link, file=f"{name}.zip"), mb=1)
    return replace(entry, parts=parts, bundle=bundle, counts=COUNTS)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    with serving() as state:
        monkeypatch.setattr(http_file, "PAUSES", ())
        for name in NAMES:
            entry = _local(name, state, tmp_path / f"work-{name}")
            monkeypatch.setitem(CATALOGUE, name, entry)
        monkeypatch.setitem(data_download.GROUPS, "two", ("imagenet", "eurosat", "dtd"))
        yield state


def test_a_group_in_one_command(
    server: FileServer, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    root = tmp_path / "my data"
    assert main(["download", "two", "dtd", "--root", str(root)]) == 0
    out = capsys.readouterr().out
    assert "ImageNet has to be got by hand: `npt data status ImageNet` says how.\n" in out
    assert "EuroSAT: publisher: 'EuroSAT.zip' could not be had (HTTP 404 Not Found)" in out
    assert "EuroSAT: EuroSAT.zip, all of it, from huggingface" in out or (
        "EuroSAT: EuroSAT.zip from huggingface" in out
    )
    assert out.count("no problem found") == 2
    assert f"EuroSAT, DescribableTextures: complete under {root}\n" in out
    capsys.readouterr()
    asked = len(server.log)
    assert main(["download", "two", "--root", str(root)]) == 0 and len(server.log) == asked


def test_a_split_of_another_size_is_a_problem(
    server: FileServer, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch
) -> None:
    other = replace(CATALOGUE["EuroSAT"], counts=Counts(5, 96, 38, 57))
    monkeypatch.setitem(CATALOGUE, "EuroSAT", other)
    assert main(["download", "eurosat", "--root", str(tmp_path / "r")]) == 1
    assert "the published one has 5 classes, 96 training" in capsys.readouterr().out


def test_one_of_two_fails(
    server: FileServer, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    del server.files["/EuroSAT.zip"]
    assert main(["download", "two", "--root", str(tmp_path / "r")]) == 2
    captured = capsys.readouterr()
    assert "1 of 2 datasets are not complete (EuroSAT): the reasons stand above" in captured.err
    assert "DescribableTextures: all there" in captured.out and "no problem found" in captured.out
    assert main(["download", "EuroSAT", "--root", str(tmp_path / "r")]) == 2
    captured = capsys.readouterr()
    assert re.match("error: EuroSAT: publisher: 'EuroSAT.zip' could not be had ", captured.err)
    assert captured.err.count("\n") == 1


def test_a_dry_run_writes_nothing_and_asks_nobody(
    server: FileServer, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    root = tmp_path / "none"
    assert main(["download", "fewshot11", "--root", str(root), "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^SUN397 +SUN397.tar.gz +39 GB +publisher, huggingface +md5$", out, re.M)
    assert re.search(r"^\d+ GB to fetch; about \d+ GB of disk at most, .+ are free\.$", out, re.M)
    assert not root.exists() and not server.log


def test_given_archives(server: FileServer, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "DescribableTextures.zip").write_bytes(server.files["/DescribableTextures.zip"])
    words = ["download", "dtd", "--root", str(tmp_path / "r"), "--from", str(given)]
    assert main([*words, "--dry-run"]) == 0
    assert re.search("DescribableTextures.zip +1 MB +given", capsys.readouterr().out)
    assert main(words) == 0 and not server.log
    assert main(words) == 0
    assert main([*words, "--dry-run"]) == 0
    assert "Nothing is missing.\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["fewshot12"], "Unknown dataset 'fewshot12'"),
        (["EuroSAT", "--from", "nowhere"], "--from 'nowhere' is no folder"),
        (["EuroSAT", "--jobs", "0"], "--jobs 0: give 1 or more"),
        (["PlacesLT", "EuroSAT"], "1 of 2 datasets are not complete .PlacesLT."),
    ],
)
def test_mistakes(
    server: FileServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
    words: list[str],
    sentence: str,
) -> None:
    assert main(["download", *words, "--root", str(tmp_path / "r")]) == 2
    assert re.search(sentence, capsys.readouterr().err)


def test_no_room_is_said_before_anything_is_fetched(
    server: FileServer, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch
) -> None:
    huge = replace(CATALOGUE["EuroSAT"], bundle=None)
    parts = tuple(replace(part, mb=9e12) for part in huge.parts)
    monkeypatch.setitem(CATALOGUE, "EuroSAT", replace(huge, parts=parts))
    assert main(["download", "EuroSAT", "--root", str(tmp_path / "r")]) == 2
    assert "name fewer datasets, or another --root" in capsys.readouterr().err
    assert not server.log and not (tmp_path / "r").exists()


def test_ctrl_c_says_how_to_go_on(
    server: FileServer, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(data_download, "get_datasets", stopped)
    assert main(["download", "two", "--root", str(tmp_path / "r")]) == 130
    assert capsys.readouterr().err == "error: stopped; run the same command to continue\n"
