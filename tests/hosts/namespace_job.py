"""Compares everything that Dassl, PyTorch and Python hold before and after we come and go.

python namespace_job.py ENGINE prints the differences at each stage as JSON; dassl or minidassl.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import pkgutil
import random
import signal
import sys
import warnings
from copy import copy
from importlib.machinery import ModuleSpec
from types import ModuleType

import numpy
import torch

ENGINE = sys.argv[1]
OTHERS = ("torch", "torchvision", "clip", "yacs", "numpy", "PIL")
KNOWN: set[str] = set()  # the modules there are before we come
REGISTRIES = ("TRAINER_REGISTRY", "DATASET_REGISTRY")


def everything(package: str) -> None:
    """Import all of a package, so that nothing is first imported by us."""
    root = importlib.import_module(package)
    for info in pkgutil.walk_packages(root.__path__, f"{package}."):
        importlib.import_module(info.name)


def members(owner: object, prefix: str) -> dict[str, object]:
    return {f"{prefix}.{name}": value for name, value in list(vars(owner).items())}


def snapshot() -> dict[str, object]:
    """Every attribute of every module and class, and what else a process shares, by name."""
    seen: dict[str, object] = {}
    for name, module in list(sys.modules.items()):
        if not isinstance(module, ModuleType) or name.split(".")[0] not in (ENGINE, *OTHERS):
            continue
        seen |= members(module, name)
        for key, value in list(vars(module).items()):
            if isinstance(value, type) and value.__module__.split(".")[0] == ENGINE:
                seen |= members(value, f"{name}.{key}")
    engine, data = (importlib.import_module(f"{ENGINE}.{n}") for n in ("engine", "data.datasets"))
    for owner, registry in zip((engine, data), REGISTRIES, strict=True):
        for key, value in vars(getattr(owner, registry)).items():
            seen[f"{registry}.{key}"] = copy(value)
    for module, name, value in lists():
        seen[f"{module} {name}"] = value
    return seen


def lists():
    yield "sys", "modules", {n: id(m) for n, m in sys.modules.items() if n in KNOWN}
    for name in ("path", "meta_path", "path_hooks", "argv"):
        yield "sys", name, list(getattr(sys, name))
    for name in ("stdout", "stderr", "excepthook", "displayhook"):
        yield "sys", name, getattr(sys, name)
    yield "warnings", "filters", list(warnings.filters)
    yield "os", "environ", dict(os.environ)
    mask = os.umask(0)
    os.umask(mask)
    yield "os", "umask", mask
    yield "os", "getcwd", os.getcwd()
    yield "signal", "handlers", [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    yield "logging", "handlers", list(logging.getLogger().handlers)
    yield "torch", "dtype", torch.get_default_dtype()
    yield "torch", "threads", torch.get_num_threads()
    yield "torch", "grad", torch.is_grad_enabled()
    yield "torch", "modes", torch.overrides._get_current_function_mode_stack()
    yield "torch", "safe", sorted(map(str, torch.serialization.get_safe_globals()))
    yield "torch", "storages", list(torch.serialization._package_registry)
    yield "torch", "rng", torch.get_rng_state().tolist()
    yield "numpy", "rng", str(numpy.random.get_state())
    yield "random", "rng", random.getstate()
    for attribute in ("on_build",):
        trainer = importlib.import_module(f"{ENGINE}.engine").SimpleTrainer
        yield "SimpleTrainer", attribute, list(getattr(trainer, attribute, ()))
    if ENGINE == "minidassl":
        tree = importlib.import_module("minidassl.config.tree")
        yield "minidassl", "additions", list(tree._additions)


def differences(before: dict, after: dict) -> list[str]:
    """Names whose value is another object, or for the lists above another value.

    Modules that Python imported in between are no difference, nor are their names in a package.
    """
    absent = object()
    found = []
    for name in sorted({*before, *after}):
        old, new = before.get(name, absent), after.get(name, absent)
        imported = old is absent and (isinstance(new, ModuleType) or _module(name) not in KNOWN)
        by_value = " " in name or "REGISTRY" in name or "_safe_globals_set" in name
        if not imported and old is not new and not (by_value and old == new):
            found.append(name)
    return found


def _module(name: str) -> str:
    """The module that an attribute is of, or a class of it."""
    while name not in sys.modules and "." in name:
        name = name.rpartition(".")[0]
    return name


def main() -> None:
    if ENGINE == "dassl":  # these two packages are needed by datasets that nobody here asks for
        for name in ("wilds", "pandas"):
            module = sys.modules.setdefault(name, ModuleType(name))
            module.__spec__, module.get_dataset = ModuleSpec(name, None), None
    for package in (ENGINE, "clip"):
        everything(package)
    KNOWN.update(sys.modules)
    stages = {}
    zero = snapshot()
    import npt_plugin

    stages["import"] = differences(zero, snapshot())
    npt_plugin.register(base=True)  # once, for what it imports
    npt_plugin.unregister()
    first = snapshot()
    stages["came and went"] = differences(zero, first)
    for number in (1, 2):
        npt_plugin.register(base=True)
        stages[f"register {number}"] = differences(first, snapshot())
        npt_plugin.unregister()
        stages[f"unregister {number}"] = differences(first, snapshot())
    print(json.dumps(stages))


main()
