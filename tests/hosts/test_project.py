"""What a project's folder holds: its Dassl, and packages without ``__init__.py``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from npt_plugin.hosts import project as module
from npt_plugin.hosts.project import PlainFolders, dassl_to_use, own_dassl


def dassl_in(folder: Path) -> Path:
    (folder / "dassl").mkdir(parents=True)
    (folder / "dassl" / "__init__.py").touch()
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout" / "code"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("place", [".", "Dassl.pytorch", "Dassl.ProGrad.pytorch"])
def test_a_dassl_in_the_project_is_its_own(project, place) -> None:
    assert own_dassl(project) is None
    wanted = dassl_in(project / place)
    assert own_dassl(project) == wanted


def test_a_dassl_beside_it_is_its_own_only_in_one_checkout(project) -> None:
    beside = dassl_in(project.parent / "Dassl.ProGrad.pytorch")
    assert own_dassl(project) is None
    (project.parent / ".git").mkdir()
    assert own_dassl(project) == beside


@pytest.mark.parametrize(
    "own, beside, installed, wanted, chosen",
    [
        (True, True, True, "", "own"),
        (True, False, False, "", "own"),
        (False, True, True, "", None),
        (False, True, False, "", "beside"),
        (False, False, False, "", None),
        (True, True, True, "dassl", None),  # the installed one was asked for
        (True, True, False, "dassl", "own"),
        (True, True, True, "minidassl", None),
    ],
)
def test_which_is_used(project, monkeypatch, own, beside, installed, wanted, chosen) -> None:
    places = {"own": project / "Dassl.pytorch", "beside": project.parent / "Dassl.pytorch"}
    for name, there in (("own", own), ("beside", beside)):
        if there:
            dassl_in(places[name])
    monkeypatch.setenv("NPT_FRAMEWORK", wanted)
    found = object() if installed else None
    monkeypatch.setattr(module.PathFinder, "find_spec", lambda name: found)
    assert dassl_to_use(project) == places.get(chosen)


def test_a_folder_of_modules_comes_before_an_installed_package(project, monkeypatch) -> None:
    installed = project.parent / "site"
    for name in ("some_clip", "whole", "empty"):
        (installed / name).mkdir(parents=True)
        (installed / name / "__init__.py").write_text("WHOSE = 'installed'")
    for name in ("some_clip", "whole", "empty", "json"):
        (project / name).mkdir()
    (project / "some_clip" / "clip.py").write_text("WHOSE = 'project'")
    (project / "whole" / "__init__.py").write_text("WHOSE = 'project'")
    (project / "json" / "part.py").touch()
    monkeypatch.syspath_prepend(str(installed))
    monkeypatch.syspath_prepend(str(project))
    assert importlib.import_module("some_clip").WHOSE == "installed"  # as Python has it
    del sys.modules["some_clip"]
    finder = PlainFolders(project)
    monkeypatch.setattr(sys, "meta_path", [finder, *sys.meta_path])
    try:
        assert importlib.import_module("some_clip.clip").WHOSE == "project"
        assert importlib.import_module("whole").WHOSE == "project"
        assert importlib.import_module("empty").WHOSE == "installed"
        assert finder.find_spec("json") is None  # Python's own stays
    finally:
        for name in ("some_clip", "some_clip.clip", "whole", "empty"):
            sys.modules.pop(name, None)
