from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from file_server import FileServer
from toy_entries import toy

from npt_plugin.datasets import download_many
from npt_plugin.datasets.archives import Entry
from npt_plugin.datasets.download_many import get_datasets
from npt_plugin.datasets.download_plan import plan
from npt_plugin.datasets.placing import DOWNLOADS, Getting
from npt_plugin.errors import UserError
from npt_plugin.system.locks import run_lock

pytestmark = pytest.mark.usefixtures("impatient")


def _several(server: FileServer, number: int) -> list[Entry]:
    """The same data under several names and folders."""
    first = toy(server)
    made = []
    for i in range(number):
        parts = tuple(
            replace(
                part,
                file=part.file.replace("toy/", f"toy{i}/"),
                into=f"toy{i}" if part.into else None,
                gives=tuple(path.replace("toy/", f"toy{i}/") for path in part.gives),
            )
            for part in first.parts
        )
        expects = tuple(path.replace("toy/", f"toy{i}/") for path in first.expects)
        made.append(replace(first, name=f"Toy{i}", parts=parts, expects=expects))
    return made


def test_several_at_a_time_and_nothing_left_behind(server: FileServer, tmp_path: Path) -> None:
    entries = _several(server, 5)
    files = [file for entry in entries for file in plan(entry, tmp_path)]
    ends = get_datasets(entries, files, Getting(tmp_path), jobs=3)
    assert ends == {f"Toy{i}": "" for i in range(5)} and list(ends) == [e.name for e in entries]
    assert len(list(tmp_path.glob("toy*/images/c/2.jpg"))) == 5
    assert not list((tmp_path / DOWNLOADS).glob("*")) and not (tmp_path / DOWNLOADS).exists()


def test_they_run_side_by_side_the_largest_first(
    tmp_path: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, both = [], threading.Barrier(2, timeout=10)

    def get(entry: Entry, how: Getting) -> list[str]:
        order.append(entry.name)
        both.wait()  # breaks unless two are here at once
        return []

    monkeypatch.setattr(download_many, "get_dataset", get)
    small, large = _several(server, 2)
    files = [replace(file, mb=99) for file in plan(large, tmp_path)] + plan(small, tmp_path)
    get_datasets([small, large], files, Getting(tmp_path), jobs=2)
    assert order == ["Toy1", "Toy0"]


def test_one_that_fails_does_not_stop_the_others(server: FileServer, tmp_path: Path) -> None:
    good, bad = _several(server, 2)
    bad = replace(bad, parts=(), bundle=None, manual=("ask a friend",))
    ends = get_datasets([bad, good], [], Getting(tmp_path), jobs=1)
    assert ends["Toy0"] == ""
    assert ends["Toy1"].startswith("Toy1: still missing: toy1/images, ")
    assert ends["Toy1"].endswith("(1) ask a friend.")


def test_a_stop_ends_the_others_too_and_what_arrived_is_kept(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = _several(server, 3)
    heard = []

    def get(entry: Entry, how: Getting) -> list[str]:
        if entry.name == "Toy0":
            raise KeyboardInterrupt
        how.transfer.stopped.wait(10)
        heard.append(how.transfer.stopped.is_set())
        return []

    monkeypatch.setattr(download_many, "get_dataset", get)
    with pytest.raises(KeyboardInterrupt):
        get_datasets(entries, [], Getting(tmp_path), jobs=2)
    assert heard and all(heard)


def test_two_downloads_into_one_root(server: FileServer, tmp_path: Path) -> None:
    with run_lock(tmp_path / DOWNLOADS):
        with pytest.raises(UserError, match="is in use by .* or name another --root"):
            get_datasets(_several(server, 1), [], Getting(tmp_path), jobs=1)
