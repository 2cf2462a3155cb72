"""Importing an engine after us: minidassl is found, upstream is repaired, `sys.path` is left alone.

A folder that looks like upstream stands in for it; with NPT_HOSTS the real one is imported too.
"""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
from torch.optim.lr_scheduler import LRScheduler

ROOT = Path(__file__).resolve().parents[2]
HOSTS = os.environ.get("NPT_HOSTS", "")

SCHEDULERS = """
from torch.optim import lr_scheduler
class _BaseWarmupScheduler(lr_scheduler.LRScheduler):
    def __init__(self, optimizer, successor, warmup_epoch, last_epoch=-1, verbose=False):
        self.successor, self.warmup_epoch = successor, warmup_epoch
        super().__init__(optimizer, last_epoch, verbose)
class ConstantWarmupScheduler(_BaseWarmupScheduler):
    def __init__(self, optimizer, successor, warmup_epoch, cons_lr):
        self.cons_lr = cons_lr
        super().__init__(optimizer, successor, warmup_epoch)
    def get_lr(self):
        return [self.cons_lr for _ in self.base_lrs]
"""

USE = """
import torch
from dassl.optim.lr_scheduler import ConstantWarmupScheduler
sgd = torch.optim.SGD([torch.zeros(1)], lr=1.0)
cosine = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, 10)
print(ConstantWarmupScheduler(sgd, cosine, 1, 1e-5).get_last_lr())
"""


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """A package named dassl that is broken as upstream is."""
    files = {
        "dassl/__init__.py": "",
        "dassl/optim/__init__.py": "from .lr_scheduler import ConstantWarmupScheduler",
        "dassl/optim/lr_scheduler.py": SCHEDULERS,
        "dassl/optim/radam.py": "class RAdam: pass",
        "dassl/data/__init__.py": "",
        "dassl/data/datasets/__init__.py": "from .dg import wilds",
        "dassl/data/datasets/dg/__init__.py": "",
        "dassl/data/datasets/dg/wilds.py": "import a_package_nobody_has",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def python(code: str, *paths: Path | str, **environment: str) -> str:
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "NPT_FRAMEWORK")}
    env |= {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, *paths))), **environment}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


def test_a_plain_checkout_finds_its_engine_and_leaves_the_path_alone():
    code = """
import sys
before = list(sys.path)
from npt_plugin.engine import framework
import minidassl.engine.trainer, minidassl.seal
print(framework.BACKEND, sys.path == before, minidassl.__file__)
"""
    found = python(code, NPT_FRAMEWORK="minidassl").split()
    assert found[:2] == ["minidassl", "True"]
    assert Path(found[2]) == ROOT / "third_party" / "minidassl" / "__init__.py"


def test_an_installed_engine_comes_first(tmp_path: Path):
    (tmp_path / "minidassl").mkdir()
    (tmp_path / "minidassl" / "__init__.py").write_text("WHOSE = 'installed'")
    code = "import npt_plugin, minidassl; print(minidassl.WHOSE)"
    assert python(code, tmp_path) == "installed"


def test_importing_us_loads_nothing_heavy_and_joins_once():
    code = """
import importlib, sys, npt_plugin
from npt_plugin.engine import imports
imports.install()
importlib.reload(npt_plugin)
heavy = {"torch", "numpy", "yacs", "minidassl", "dassl"} & set(sys.modules)
print(heavy, sum(type(f).__module__.startswith("npt_plugin") for f in sys.meta_path))
"""
    assert python(code) == "set() 2"


def test_what_is_broken_without_us(upstream: Path):
    """The stand-in fails where upstream fails, so the next tests can."""
    with pytest.raises(AssertionError, match="a_package_nobody_has"):
        python("import dassl.data.datasets", upstream)
    if "verbose" not in inspect.signature(LRScheduler.__init__).parameters:  # PyTorch 2.6 has it
        with pytest.raises(AssertionError, match="positional argument"):
            python(USE, upstream)


@pytest.mark.parametrize("first", ["npt_plugin", "dassl"])
def test_schedulers_work_after_us(upstream: Path, first: str):
    if first == "npt_plugin":
        code = f"import npt_plugin{USE}"
    else:  # it was there before: repaired when the engine is loaded
        code = f"""
import dassl.optim
import npt_plugin
from npt_plugin.engine import repair
repair.repair(dassl.optim.lr_scheduler){USE}"""
    assert python(code, upstream) == "[1e-05]"


def test_wilds_is_left_out_where_its_packages_are_missing(upstream: Path):
    code = "import npt_plugin, dassl.data.datasets as d; print(d.wilds.__doc__)"
    assert python(code, upstream) == "None"
    for name in ("wilds", "pandas"):
        (upstream / f"{name}.py").write_text("")
    (upstream / "dassl/data/datasets/dg/wilds.py").write_text("'''The real one.'''")
    assert python(code, upstream) == "The real one."


def test_source_of_the_repaired_module_is_still_found(upstream: Path):
    code = """
import npt_plugin, inspect, dassl.optim.lr_scheduler as m
print(m.__spec__.origin == m.__file__, "ConstantWarmup" in inspect.getsource(m))
"""
    assert python(code, upstream) == "True True"


@pytest.mark.skipif(
    not (HOSTS and Path(HOSTS, "Dassl.pytorch", "dassl").is_dir()),
    reason="NPT_HOSTS names no folder with Dassl.pytorch",
)
def test_real_upstream_is_imported_and_its_warm_up_works():
    code = f"import npt_plugin, dassl.engine{USE}"
    assert python(code, Path(HOSTS, "Dassl.pytorch")) == "[1e-05]"
