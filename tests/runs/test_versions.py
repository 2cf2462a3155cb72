"""What a record says its numbers depend on."""

import subprocess

import pytest

import npt_plugin
from npt_plugin.backbone import frozen_linear
from npt_plugin.errors import UserError
from npt_plugin.runs import versions


@pytest.fixture(autouse=True)
def nothing_remembered():
    yield
    versions.installed.cache_clear()
    frozen_linear._wanted.cache_clear()


def test_every_package_that_makes_numbers_is_named():
    found = versions.versions()
    assert found["npt_plugin"] == npt_plugin.__version__
    packages = {"torch", "torchvision", "clip-anytorch", "numpy", "pillow", "python"}
    assert packages | {"framework", "git", "device", "cpu", "kernels"} <= found.keys()
    assert versions.arithmetic().items() <= found.items()
    assert set(versions.arithmetic()) == {"cpu", "kernels"}


def test_git_and_packages_are_asked_once(monkeypatch):
    calls, run = [], subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: (calls.append(a), run(*a, **k))[1])
    versions.installed.cache_clear()
    first = versions.versions()
    before = len(calls)
    assert versions.versions() == first and len(calls) == before


@pytest.mark.parametrize("kernels", ["plain", "fastest"])
def test_the_kernels_asked_for_are_recorded_and_unknown_ones_refused(monkeypatch, kernels):
    monkeypatch.setenv("NPT_KERNELS", kernels)
    frozen_linear._wanted.cache_clear()
    if kernels == "plain":
        assert versions.versions()["kernels"] == "plain"
        return
    with pytest.raises(UserError, match="NPT_KERNELS is 'fastest'"):
        versions.versions()


def test_a_checkout_with_changes_says_so(tmp_path, monkeypatch):
    package = tmp_path / "npt_plugin" / "runs" / "versions.py"
    package.parent.mkdir(parents=True)
    package.write_text("")
    monkeypatch.setattr(versions, "__file__", str(package))
    assert versions._git_commit() == "none"  # installed from a wheel

    def git(*words):
        call = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b", *words]
        return subprocess.run(call, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    commit = git("rev-parse", "--short", "HEAD")
    assert versions._git_commit() == commit
    (tmp_path / "beside.txt").write_text("not tracked")
    assert versions._git_commit() == commit
    package.write_text("changed")
    assert versions._git_commit() == f"{commit}-dirty"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert versions._git_commit() == "unknown"  # no git
