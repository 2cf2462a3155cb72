"""A world a host checkout can run in: random CLIP weights, drawn images, patched downloads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
HOSTS = os.environ.get("NPT_HOSTS", "")
FOLDERS = {
    "CoOp": "CoOp",
    "MaPLe": "multimodal-prompt-learning",
    "PromptSRC": "PromptSRC",
    "KgCoOp": "KgCoOp/KgCoOp",
}
CLASSES = ("abyssinian", "beagle", "great_pyrenees", "miniature_pinscher", "persian", "siamese")
PER_CLASS = {"train": 5, "val": 2, "test": 4}
SIZE = 32

# Hosts fetch CLIP by name and check its digest: every CLIP in the process gives our file instead.
SITECUSTOMIZE = """
import importlib.machinery, os, sys

class GiveWeights:
    NAMES = ("clip.clip", "npt_plugin_clip.clip")

    def find_spec(self, name, path=None, target=None):
        if name not in self.NAMES:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
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
    folders = ["Dassl.pytorch", *(FOLDERS[host] for host in hosts)]
    absent = [folder for folder in folders if not Path(HOSTS, folder).is_dir()]
    return f"NPT_HOSTS has no {', '.join(absent)}" if absent else ""


def host_folder(host: str) -> Path:
    return Path(HOSTS, FOLDERS[host])


def write_clip(path: Path, text_width: int, image_width: int) -> None:
    """A random ViT of 2 + 2 layers, saved in fp16 as OpenAI does."""
    from clip.model import CLIP

    torch.manual_seed(11)
    model = CLIP(text_width, SIZE, 2, image_width, 16, 77, 49408, text_width, text_width // 64, 2)
    torch.save({name: value.half() for name, value in model.state_dict().items()}, path)


def draw_pets(root: Path) -> None:
    """OxfordPets with six breeds: folders, images and the split file the CoOp family reads."""
    base = root / "oxford_pets"
    (base / "images").mkdir(parents=True)
    (base / "annotations").mkdir()
    generator = torch.Generator().manual_seed(5)
    split: dict[str, list] = {}
    for part, count in PER_CLASS.items():
        split[part] = []
        for label, name in enumerate(CLASSES):
            tint = torch.tensor([label * 40, 255 - label * 40, 128 * (label % 2)])
            for number in range(count):
                noise = torch.randint(0, 120, (SIZE, SIZE, 3), generator=generator)
                pixels = ((noise + tint) / 2).clamp(0, 255).to(torch.uint8)
                file = f"{name}_{part}{number}.png"
                Image.fromarray(pixels.numpy()).save(base / "images" / file)
                split[part].append([file, label, name])
    (base / "split_zhou_OxfordPets.json").write_text(json.dumps(split))


def build_world(folder: Path) -> Path:
    """Weights, data and the start-up file of every process, in one folder."""
    (folder / "site").mkdir(parents=True)
    (folder / "site" / "sitecustomize.py").write_text(SITECUSTOMIZE)
    write_clip(folder / "small.pt", 64, 128)
    write_clip(folder / "wide.pt", 512, 768)  # the widths that MaPLe and KgCoOp have as literals
    draw_pets(folder / "data")
    return folder


def environment(world: Path, weights: str, dassl: bool) -> dict[str, str]:
    """Environment of a process in the world: upstream Dassl on the path, or not at all."""
    paths = [str(world / "site"), str(HERE), str(ROOT), str(ROOT / "third_party")]
    if dassl:
        paths.append(str(Path(HOSTS, "Dassl.pytorch")))
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "TEST_CLIP_WEIGHTS": str(world / f"{weights}.pt"),
        "HOME": str(world),
        "NPT_FRAMEWORK": "dassl" if dassl else "minidassl",
    }


def run(
    command: list[str], world: Path, cwd: Path, weights: str = "small", dassl: bool = True
) -> str:
    """Run Python in the world; its whole output, after checking that it succeeded."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *command],
        cwd=cwd,
        env=environment(world, weights, dassl),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def options(**keys: object) -> list[str]:
    """KEY value pairs that make any trainer config small, in fp32, and free of random crops."""
    fixed = {
        "INPUT.SIZE": f"({SIZE}, {SIZE})",
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
