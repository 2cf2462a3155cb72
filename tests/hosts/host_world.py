"""A world a host checkout can run in: random CLIP weights, drawn images, patched downloads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from npt_plugin.hosts import miniature

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
HOSTS = os.environ.get("NPT_HOSTS", "")
FOLDERS = {
    "CoOp": "CoOp",
    "MaPLe": "multimodal-prompt-learning",
    "PromptSRC": "PromptSRC",
    "KgCoOp": "KgCoOp/KgCoOp",
    "ProGrad": "Prompt-align/ProGrad.public",
}
SIZE = 32

# Hosts fetch CLIP by name and check its digest: every CLIP in the process gives our file instead.
SITECUSTOMIZE = """
import importlib.machinery, os, sys

class GiveWeights:
    def find_spec(self, name, path=None, target=None):
        if name in os.environ.get("TEST_ABSENT", "").split():
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if not name.endswith(".clip"):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None:
            return None
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            module._download = lambda *args, **kwargs: os.environ["TEST_CLIP_WEIGHTS"]

        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, GiveWeights())
"""


def missing(*hosts: str) -> str:
    """Why a host test cannot run, "" if it can."""
    if not HOSTS:
        return "NPT_HOSTS is not set"
    folders = ["Dassl.pytorch", *(FOLDERS.get(host, host) for host in hosts)]
    absent = [folder for folder in folders if not Path(HOSTS, folder).is_dir()]
    return f"NPT_HOSTS has no {', '.join(absent)}" if absent else ""


def host_folder(host: str) -> Path:
    return Path(HOSTS, FOLDERS[host])


@dataclass(frozen=True)
class Shape:
    """What of a random CLIP hosts depend on; two image layers, widths of heads 64."""

    text: int
    image: int
    layers: int = 2
    size: int = SIZE
    patch: int = 16


CLIPS = {
    "small": Shape(64, 128),
    "wide": Shape(512, 768),  # the widths that MaPLe and KgCoOp have as literals
    "teacher": Shape(768, 128),
    "large": Shape(64, 128, size=224, patch=112),  # the size that DPC has as a literal
    "deep": Shape(512, 768, 9, 224, 112),  # TCP changes the input of the ninth layer
}


def write_clip(path: Path, shape: Shape) -> None:
    """A random ViT, saved in fp16 as OpenAI does."""
    from clip.model import CLIP

    torch.manual_seed(11)
    text = (77, 49408, shape.text, shape.text // 64, shape.layers)
    model = CLIP(shape.text, shape.size, 2, shape.image, shape.patch, *text)
    torch.save({name: value.half() for name, value in model.state_dict().items()}, path)


def draw_pets(root: Path) -> None:
    """OxfordPets with six breeds: folders, images and the split file the CoOp family reads."""
    split = miniature.draw_pets(root, SIZE)
    listed = {
        name: [label, [file for file, other, _ in split["train"] if other == label]]
        for label, name in enumerate(miniature.BREEDS)
    }
    (root.parent / "pictures.json").write_text(json.dumps({"train": [listed]}))  # as DPC reads it


def build_world(folder: Path) -> Path:
    """Weights, data and the start-up file of every process, in one folder."""
    (folder / "site").mkdir(parents=True)
    (folder / "site" / "sitecustomize.py").write_text(SITECUSTOMIZE)
    for name, shape in CLIPS.items():
        write_clip(folder / f"{name}.pt", shape)
    draw_pets(folder / "data")
    return folder


def environment(world: Path, weights: str, dassl: bool, brings: bool = False) -> dict[str, str]:
    """Environment of a process in the world: on a checkout's own Dassl, upstream, or on none."""
    paths = [str(world / "site"), str(HERE), str(HERE.parent / "support"), str(ROOT)]
    paths.append(str(ROOT / "third_party"))
    if dassl and not brings:
        paths.append(str(Path(HOSTS, "Dassl.pytorch")))
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "TEST_CLIP_WEIGHTS": str(world / f"{weights}.pt"),
        "HOME": str(world),
        "NPT_FRAMEWORK": "minidassl" if not dassl else "" if brings else "dassl",
    }


def start(
    command: list[str],
    world: Path,
    cwd: Path,
    weights: str = "small",
    dassl: bool = True,
    brings: bool = False,
    absent: Iterable[str] = (),
) -> subprocess.CompletedProcess:
    """Run Python in the world, where the modules ``absent`` cannot be imported."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", *command],
        cwd=cwd,
        env={**environment(world, weights, dassl, brings), "TEST_ABSENT": " ".join(absent)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def run(command: list[str], *place: Any, **how: Any) -> str:
    """As ``start``; the whole output, after checking that it succeeded."""
    done = start(command, *place, **how)
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def options(weights: str = "small", **keys: object) -> list[str]:
    """KEY value pairs that make any trainer config small, in fp32, and free of random crops."""
    fixed = {
        "INPUT.SIZE": f"({CLIPS[weights].size}, {CLIPS[weights].size})",
        "INPUT.TRANSFORMS": "['normalize']",
        "DATALOADER.NUM_WORKERS": 0,
        "DATALOADER.TRAIN_X.BATCH_SIZE": 4,
        "DATALOADER.TEST.BATCH_SIZE": 8,
        "DATASET.NUM_SHOTS": 4,
        "OPTIM.MAX_EPOCH": 2,
        "TRAIN.PRINT_FREQ": 1,
        "TRAIN.CHECKPOINT_FREQ": 1,
        **{key.replace("__", "."): value for key, value in keys.items()},
    }
    return [str(word) for pair in fixed.items() for word in pair]
