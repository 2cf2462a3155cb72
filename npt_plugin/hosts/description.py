"""What a project's imported modules and their source say: its Dassl, repairs, trainers."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from npt_plugin.engine import replaced
from npt_plugin.engine.framework import BACKEND, TRAINER_REGISTRY, described
from npt_plugin.hosts import signs
from npt_plugin.hosts.probe import Findings
from npt_plugin.hosts.variants import is_host_trainer
from npt_plugin.trainers import NPT_TRAINERS

WRAPPED, OURS, EITHER = "its own, wrapped", "ours", "ours or its own"
UNSEEN, IDLE = "not seen", "nothing to train"


def describe_engine(found: Findings) -> None:
    """Which Dassl is in use."""
    found.dassl = described()
    if BACKEND == "minidassl":
        found.whose = "ours"


def describe_trainers(found: Findings, script: Path) -> None:
    """What the project registered, what was repaired for it, and what to watch."""
    registry: Any = TRAINER_REGISTRY
    modules = project_modules(script.parent)
    found.repairs = _repairs(modules)
    found.notes = _notes_on_script(script)
    for name in sorted(registry.registered_names()):
        trainer = registry.get(name)
        if is_host_trainer(name, trainer):
            found.trainers.append(
                _trainer(name, trainer, f"NPT_{name}" in NPT_TRAINERS, script, modules)
            )


def _trainer(
    name: str, trainer: type, is_ours: bool, script: Path, modules: list[ModuleType]
) -> tuple[str, str, list[str]]:
    behind = modules_behind(trainer, modules)
    if not signs.trains(trainer):
        return name, OURS if is_ours else IDLE, []
    watch = signs.watch_list(trainer, behind, script.parent)
    seen = signs.encoders("\n".join(signs.source_of(module) for module in behind))
    if len(seen) == 2:
        return name, EITHER if is_ours else WRAPPED, watch
    missing = " and ".join(f"{t}_encoder" for t in ("image", "text") if t not in seen)
    watch = [f"its source sets no {missing}, as far as read: try TRAINER.NPT.AT logits", *watch]
    return name, OURS if is_ours else UNSEEN, watch


def project_modules(project: Path) -> list[ModuleType]:
    """The imported modules whose files lie in the project, its Dassl and CLIP left out."""
    found = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        there = isinstance(file, str) and Path(file).is_file()  # PyTorch has modules without
        inside = there and Path(str(file)).resolve().is_relative_to(project)
        if inside and name.split(".")[0] not in ("dassl", "clip", "npt_plugin", "minidassl"):
            found.append(module)
    return found


def modules_behind(trainer: type, modules: list[ModuleType]) -> list[ModuleType]:
    """The modules of a trainer's class and its bases, and those of what they import by name."""
    names = {cls.__module__ for cls in trainer.__mro__}
    for module in [m for m in modules if m.__name__ in names]:
        for value in vars(module).values():
            if isinstance(value, ModuleType):  # used by its name, maybe one below it
                below = f"{value.__name__}."
                names |= {m.__name__ for m in modules if f"{m.__name__}.".startswith(below)}
            names.add(getattr(value, "__module__", "") or "")
    return [module for module in modules if module.__name__ in names]


def _repairs(modules: list[ModuleType]) -> list[str]:
    done = []
    if replaced.is_done("_BaseWarmupScheduler.__init__"):
        done.append("warm-up schedules, checkpoint loading and resuming on current PyTorch")
    wilds = sys.modules.get("dassl.data.datasets.dg.wilds")
    if BACKEND == "dassl" and wilds is not None and not getattr(wilds, "__file__", None):
        done.append("Dassl's WILDS datasets left out")
    plain = {m.__name__.split(".")[0] for m in modules}
    plain = {n for n in plain if n in sys.modules and not getattr(sys.modules[n], "__file__", None)}
    done += [f"{name}/ without __init__.py taken from the project" for name in sorted(plain)]
    return done


def _notes_on_script(script: Path) -> list[str]:
    source = script.read_text(encoding="utf-8", errors="replace")
    calls = {
        ast.unparse(node.func).rpartition(".")[2]
        for node in ast.walk(signs.parsed(source))
        if isinstance(node, ast.Call)
    }
    notes = {
        "cleans the config: our keys come back": "clean_cfg" in calls,
        "makes its trainer without build_trainer: NPT_ names may not be found": (
            "build_trainer" not in calls
        ),
        "asks for CUDA at import: answered for the CPU": signs.cuda_at_import(source),
        "compares the trainer's name: there it is NPT_...": (
            signs.asks_its_name(source) and "build_trainer" not in calls
        ),
    }
    return [note for note, there in notes.items() if there]
