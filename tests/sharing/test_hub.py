"""The hub's library, stood in for by one of the same calls."""

import sys
import types

import pytest

from npt_plugin.cli import main as cli
from npt_plugin.errors import UserError
from npt_plugin.sharing import hub


@pytest.fixture
def library(monkeypatch, tmp_path):
    """What was asked of ``huggingface_hub``."""
    asked = []

    class HfApi:
        def create_repo(self, name, **more):
            asked.append(("create", name, more))

        def upload_folder(self, **more):
            asked.append(("upload", more))
            return "https://hub/commit"

    def snapshot_download(name, revision=None):
        asked.append(("fetch", name, revision))
        return str(tmp_path / "cache")

    made = types.SimpleNamespace(HfApi=HfApi, snapshot_download=snapshot_download)
    monkeypatch.setitem(sys.modules, "huggingface_hub", made)
    return asked


def test_names_and_revisions(library, tmp_path):
    assert hub.download("hf:org/name@v1") == tmp_path / "cache"
    assert library == [("fetch", "org/name", "v1")]
    for wrong in ("hf:name", "hf:org/name/more", "hf:../../etc"):
        with pytest.raises(UserError, match="no name on the hub"):
            hub.download(wrong)


def test_push_is_private(library, run, tmp_path, capsys):
    shared = tmp_path / "shared"
    assert cli.main(["publish", str(run), str(shared), "--push", "org/name"]) == 0
    assert library[0] == ("create", "org/name", {"exist_ok": True, "private": True})
    assert library[1] == ("upload", {"repo_id": "org/name", "folder_path": str(shared)})
    assert "https://hub/commit" in capsys.readouterr().out


def test_a_hub_out_of_reach_or_a_missing_library_is_one_sentence(library, monkeypatch):
    def refuse(*_, **__):
        raise OSError("no route\nto host")

    monkeypatch.setattr(sys.modules["huggingface_hub"], "snapshot_download", refuse)
    with pytest.raises(UserError, match=r"cannot be fetched \(no route\)"):
        hub.download("hf:org/name")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UserError, match=r"npt-plugin\[hub\]"):
        hub.download("hf:org/name")
