"""Data and weights that are not there, told from every other missing file."""

from __future__ import annotations

import os
from urllib.error import URLError

import pytest

from npt_plugin.errors import UserError
from npt_plugin.hosts.lacking import as_sentence
from npt_plugin.hosts.not_there import absent_data, failed_download


def raised(action, *given) -> Exception:
    try:
        action(*given)
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    "words", [["--root", "{}"], ["--root={}"], ["--root", "x", "DATASET.ROOT", "{}"]]
)
def test_a_file_below_the_root_is_data(tmp_path, words):
    given = [word.format(tmp_path) for word in words]
    for error in (
        raised(open, tmp_path / "oxford_pets" / "annotations.txt"),
        raised(os.listdir, str(tmp_path / "oxford_pets")),
        OSError(f"No file exists at {tmp_path}/oxford_pets"),
    ):
        said = absent_data(error, given)
        assert f"looks for {tmp_path}/oxford_pets" in said and f"is {tmp_path} (--root)" in said


def test_other_files_are_none_of_ours(tmp_path):
    error = raised(open, "no/such.json")
    assert absent_data(error, ["--root", str(tmp_path)]) == ""
    assert absent_data(error, []) == absent_data(error, ["--root"]) == ""
    assert absent_data(OSError("No space"), ["--root", "/"]) == ""
    assert absent_data(raised(open, f"{tmp_path}_old/x"), ["--root", str(tmp_path)]) == ""


def test_clips_download_is_named_with_its_place():
    def urlopen():
        raise URLError("no route")

    def _download(url, root="~/weights"):
        urlopen()

    said = failed_download(raised(_download, "https://x/ViT-B-16.pt"))
    assert "(no route): fetch https://x/ViT-B-16.pt elsewhere" in said
    assert said.endswith(f"folder {os.path.expanduser('~/weights')}.")
    assert failed_download(raised(urlopen)) == failed_download(ValueError()) == ""


def test_both_end_as_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["train.py", "--root", str(tmp_path)])
    assert isinstance(as_sentence(raised(open, tmp_path / "x")), UserError)
    other = raised(open, "x/y")
    assert as_sentence(other) is other
