"""Files appear whole or not at all, and with the rights a user's umask gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from npt_plugin.errors import UserError
from npt_plugin.system.files import write_atomically, write_json, write_text

posix = pytest.mark.skipif(os.name != "posix", reason="rights are POSIX's")


def test_text_and_json_replace_what_was_there(tmp_path):
    write_text(tmp_path / "new folder" / "a.txt", "erst")
    write_text(tmp_path / "new folder" / "a.txt", "dann ü\n")
    assert (tmp_path / "new folder" / "a.txt").read_bytes() == "dann ü\n".encode()
    write_json(tmp_path / "b.json", {"z": 1, "a": [None, 0.5]})
    assert (tmp_path / "b.json").read_text().endswith("}\n")
    assert list(json.loads((tmp_path / "b.json").read_text())) == ["z", "a"]
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["a.txt", "b.json"]


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "kept"
    path.write_text("old")

    def half(file):
        file.write(b"half of the ne")
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match="^Cannot write .*kept: No space left on device"):
        write_atomically(path, half)
    with pytest.raises(ZeroDivisionError):
        write_atomically(path, lambda file: 1 / 0)
    assert [p.name for p in tmp_path.iterdir()] == ["kept"] and path.read_text() == "old"


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="Cannot write .*inner"):
        write_text(tmp_path / "file" / "inner", "")


@posix
@pytest.mark.parametrize("umask, rights", [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_rights_follow_the_umask_of_the_moment(tmp_path, umask, rights):
    before = os.umask(umask)
    try:
        write_text(tmp_path / "a", "")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == rights


@posix
def test_importing_leaves_the_umask_alone():
    """Another thread would make files for everybody while it is 0."""
    code = "import os; os.umask = None; import npt_plugin.system.files"
    subprocess.run([sys.executable, "-c", code], check=True)
