"""The seam to Dassl: upstream where it is installed, our own minidassl everywhere else.

Nothing else in the package may import ``dassl`` or ``minidassl`` (but ``minidassl.seal``, which
seals checkpoint files and is standard library only). ``NPT_FRAMEWORK=minidassl`` (or
``dassl``) in the environment forces a choice.
"""

from __future__ import annotations

import functools
import gc
import importlib
import importlib.util
import os
import sys
import weakref
from types import ModuleType
from typing import Any

from npt_plugin.engine import full_precision, joining, repair
from npt_plugin.errors import UserError, count_as_user_errors

_CHOICES = ("dassl", "minidassl")


def _importable(name: str) -> bool:
    if name in sys.modules:  # an alias has no spec, yet it is there
        return True
    return importlib.util.find_spec(name) is not None


def _choose() -> str:
    wanted = os.environ.get("NPT_FRAMEWORK", "")
    if wanted and wanted not in _CHOICES:
        raise UserError(
            f"NPT_FRAMEWORK is {wanted!r}; allowed are dassl and minidassl, or leave it unset."
        )
    if wanted == "dassl" and not _importable("dassl"):
        raise UserError(
            "NPT_FRAMEWORK asks for dassl, which is not installed: install it or unset this."
        )
    if wanted:
        return wanted
    alias = sys.modules.get("dassl")  # a host without Dassl runs on minidassl under that name
    if alias is not None and alias is sys.modules.get("minidassl"):
        return "minidassl"
    return "dassl" if _importable("dassl") else "minidassl"


def _load(path: str) -> ModuleType:
    return importlib.import_module(f"{BACKEND}{path}")


BACKEND = _choose()
"""``"dassl"`` or ``"minidassl"``."""

_engine, _data, _optim = _load(".engine"), _load(".data"), _load(".optim")
_utils, _config = _load(".utils"), _load(".config")
_datasets = _load(".data.datasets")
_transforms, _manager = _load(".data.transforms"), _load(".data.data_manager")

_in_use: weakref.WeakSet[Any] = weakref.WeakSet()


def _trainer_built(trainer: Any, cfg: Any) -> None:
    _in_use.add(trainer)
    full_precision.trainer_built(trainer, cfg)


def join() -> None:
    """Repair the engine and watch its trainers; once, and again after ``replaced.undo_all``."""
    if BACKEND == "dassl":  # it may have been imported before us
        repair.repair(_load(".optim.lr_scheduler"))
    joining.watch_trainers(_engine.SimpleTrainer, _trainer_built)


def trainers_in_use() -> list[str]:
    """Names of the trainers that were built since we joined and still exist."""
    gc.collect()  # a trainer is in circles of references
    return sorted(type(trainer).__name__ for trainer in _in_use)


join()
extend_loading = functools.partial(joining.extend_loading, _manager)

TRAINER_REGISTRY = _engine.TRAINER_REGISTRY
SimpleTrainer = _engine.SimpleTrainer
TrainerX = _engine.TrainerX
build_trainer = _engine.build_trainer

DATASET_REGISTRY = _datasets.DATASET_REGISTRY
Datum = _datasets.Datum
DatasetBase = _datasets.DatasetBase
DataManager = _data.DataManager
DatasetWrapper = _data.DatasetWrapper
build_transform = _transforms.build_transform

build_optimizer = _optim.build_optimizer
build_lr_scheduler = _optim.build_lr_scheduler

get_cfg_default = _config.get_cfg_default

AverageMeter = _utils.AverageMeter
MetricMeter = _utils.MetricMeter
setup_logger = _utils.setup_logger

if BACKEND == "minidassl":
    _errors = importlib.import_module("minidassl.errors")
    count_as_user_errors(_errors.DataError, _errors.ConfigError)


def described() -> str:
    """Which engine is in use, for logs: its name, version and folder."""
    package = _load("")
    version = getattr(package, "__version__", "of unknown version")
    where = os.path.dirname(str(package.__file__))
    stand_in = ", our stand-in for Dassl" if BACKEND == "minidassl" else ""
    return f"{BACKEND} {version}{stand_in} ({where})"
