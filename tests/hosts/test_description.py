"""What is said of a project's modules and trainers, read from what was imported."""

from __future__ import annotations

import importlib
import sys

import pytest

from npt_plugin.hosts.description import (
    describe_engine,
    describe_trainers,
    modules_behind,
    project_modules,
)
from npt_plugin.hosts.probe import Findings

BOTH = "self.image_encoder = self.text_encoder = None"
TRAINER = """
import apart_model{extra}
from npt_plugin.engine.framework import TrainerX

class {name}(TrainerX):
    {body}
"""
STEP = "def forward_backward(self, batch): return {}"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """``project(model, trainers={name: body})``: modules of a project, imported."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def build(model, extra="", script="", **trainers):
        (tmp_path / "apart_model.py").write_text(f"class Model:\n    def f(self): {model}\n")
        (tmp_path / "apart_other.py").write_text(f"class Other:\n    def f(self): {BOTH}\n")
        (tmp_path / "train.py").write_text(script or "build_trainer(cfg)")
        importlib.invalidate_caches()
        found = {"other": importlib.import_module("apart_other")}
        for name, body in trainers.items():
            file = tmp_path / f"apart_{name.lower()}.py"
            file.write_text(TRAINER.format(name=name, body=body, extra=extra))
            found[name] = importlib.import_module(file.stem)
        return tmp_path, found

    yield build
    for name in [name for name in sys.modules if name.startswith("apart_")]:
        del sys.modules[name]


def test_a_trainers_modules_are_its_own_and_what_it_imports(project):
    folder, found = project("pass", Mine=STEP)
    modules = project_modules(folder)
    assert {m.__name__ for m in modules} == {"apart_model", "apart_mine", "apart_other"}
    behind = modules_behind(found["Mine"].Mine, modules)
    assert {m.__name__ for m in behind} == {"apart_model", "apart_mine"}


@pytest.mark.parametrize(
    "model, body, what",
    [
        (BOTH, STEP, "its own, wrapped"),
        ("self.image_encoder = 1", STEP, "not seen"),
        (BOTH, "pass", "nothing to train"),
    ],
)
def test_what_the_npt_variant_is(project, monkeypatch, model, body, what):
    folder, found = project(model, Mine=body)
    row = described(monkeypatch, folder, Mine=found["Mine"].Mine).trainers[0]
    assert row[:2] == ("Mine", what)
    assert ("sets no text_encoder, as far as read: try" in " ".join(row[2])) is (what == "not seen")


@pytest.mark.parametrize(
    "model, body, what",
    [(BOTH, STEP, "ours or its own"), ("pass", STEP, "ours"), (BOTH, "pass", "ours")],
)
def test_names_that_are_ours_too(project, monkeypatch, model, body, what):
    folder, found = project(model, CoOp=body)
    assert described(monkeypatch, folder, CoOp=found["CoOp"].CoOp).trainers[0][1] == what


@pytest.mark.parametrize(
    "script, notes",
    [
        ("build_trainer(cfg)", []),
        ("build_trainer(cfg)\nclean_cfg(cfg, 'X')", ["cleans the config: our keys come back"]),
        ("Mine(cfg)", ["makes its trainer without build_trainer: NPT_ names may not be found"]),
        ("build_trainer(cfg)\nx = cfg.TRAINER.NAME == 'Mine'", []),
        (
            "Mine(cfg)\nx = cfg.TRAINER.NAME == 'Mine'",
            [
                "makes its trainer without build_trainer: NPT_ names may not be found",
                "compares the trainer's name: there it is NPT_...",
            ],
        ),
    ],
)
def test_notes_on_the_script(project, monkeypatch, script, notes):
    folder, _ = project("pass", script=script)
    assert described(monkeypatch, folder).notes == notes


def described(monkeypatch, folder, **trainers):
    class Registry:
        registered_names = staticmethod(lambda: list(trainers))
        get = staticmethod(trainers.get)

    monkeypatch.setattr("npt_plugin.hosts.description.TRAINER_REGISTRY", Registry)
    found = Findings()
    describe_trainers(found, folder / "train.py")
    return found


def test_the_engine_is_named(monkeypatch):
    found = Findings(whose="installed")
    monkeypatch.setattr("npt_plugin.hosts.description.BACKEND", "dassl")
    describe_engine(found)
    assert found.dassl and found.whose == "installed"
    monkeypatch.setattr("npt_plugin.hosts.description.BACKEND", "minidassl")
    describe_engine(found)
    assert found.whose == "ours"
