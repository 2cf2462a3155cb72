"""What a host's trainer needs for a few steps: drawn pictures where it looks for its data, small
CLIPs where it looks for weights.

The pictures lie as OxfordPets does in every project of the CoOp family, under real breeds, since
templates and descriptions are looked up by data set and class.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from PIL import Image

from npt_plugin.backbone.loading import TINY
from npt_plugin.backbone.openai import part_of_clip
from npt_plugin.backbone.tiny import load_tiny_state_dict

BREEDS = ("abyssinian", "beagle", "great_pyrenees", "miniature_pinscher", "persian", "siamese")
PER_CLASS = {"train": 5, "val": 2, "test": 4}
_SIDE = 48

LADDER = {
    TINY: (),
    "random, ViT-B/16's layers at widths 64 and 128": (64, 32, 12, 128, 16, 77, 49408, 64, 1, 12),
    "random, ViT-B/16's layers at its widths": (512, 224, 12, 768, 112, 77, 49408, 512, 8, 12),
}
"""CLIPs to try, the smallest first: what they are called, and arguments of ``clip.model.CLIP``.

Projects have widths, depths and image sizes of ViT-B/16 as literals; the last has them all, with
large patches to be fast.
"""

_FILE = re.compile(r"(ViT-[BL]-\d\d|RN\d+)[\w@-]*\.pt")
"""Files of OpenAI's that some projects look for in a folder of their own."""


def draw_pets(root: Path, side: int = _SIDE) -> dict[str, list]:
    """Six breeds in the layout that the CoOp family reads, with its split file.

    Args:
        root: Becomes ``DATASET.ROOT``.
        side: Height and width of the images in pixels.

    Returns:
        What the split file holds: for each part ``[file, label, name]`` of its images.
    """
    base = root / "oxford_pets"
    (base / "images").mkdir(parents=True)
    (base / "annotations").mkdir()
    generator = torch.Generator().manual_seed(5)
    split: dict[str, list] = {}
    for part, count in PER_CLASS.items():
        split[part] = []
        for label, name in enumerate(BREEDS):
            tint = torch.tensor([label * 40, 255 - label * 40, 128 * (label % 2)])
            for number in range(count):
                noise = torch.randint(0, 120, (side, side, 3), generator=generator)
                pixels = ((noise + tint) / 2).clamp(0, 255).to(torch.uint8)
                file = f"{name}_{part}{number}.png"
                Image.fromarray(pixels.numpy()).save(base / "images" / file)
                split[part].append([file, label, name])
    (base / "split_zhou_OxfordPets.json").write_text(json.dumps(split))
    return split


def write_clip(name: str, path: Path) -> int:
    """Write a CLIP of the ladder as OpenAI's code loads it, in fp16 like OpenAI's.

    Returns:
        Side of its images in pixels.
    """
    if name == TINY:
        state = load_tiny_state_dict()
    else:
        build = part_of_clip("model").CLIP
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(11)
            state = build(*LADDER[name]).state_dict()
    torch.save({key: value.half() for key, value in state.items()}, path)
    patch = state["visual.conv1.weight"].shape[-1]
    return patch * round((len(state["visual.positional_embedding"]) - 1) ** 0.5)


class GiveWeights:
    """Gives each CLIP that is imported from now on a file of ours, whatever it wants to download.

    Attributes:
        file: The file.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """How to load a module ``*.clip``; None for all others."""
        if not name.endswith(".clip"):
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader  # its method is covered on this object alone
            loader.exec_module = self._filling(loader)
        return spec

    def _filling(self, loader: Loader) -> Callable[[ModuleType], None]:
        run = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            run(module)
            vars(module)["_download"] = lambda *args, **how: str(self.file)

        return exec_module

    def install(self) -> None:
        """From now on, in a process of its own; files of OpenAI's by path that are absent too."""
        finders: list[Any] = sys.meta_path
        finders.insert(0, self)
        owners: tuple[tuple[Any, bool], ...] = ((torch.jit, True), (torch, False))
        for owner, refuses in owners:
            owner.load = self._reading(owner.load, refuses)

    def _reading(self, load: Callable[..., Any], refuses: bool) -> Callable[..., Any]:
        def read(file: Any, *args: Any, **how: Any) -> Any:
            named = isinstance(file, (str, Path)) and _FILE.fullmatch(Path(file).name)
            if not named or Path(file).exists():
                return load(file, *args, **how)
            if refuses:
                raise RuntimeError(f"{file} is no archive of TorchScript")
            return load(self.file, *args, **how)

        return read
