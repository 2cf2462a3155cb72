"""How many images should pass a frozen ViT together on a CPU (``ImageTower.at_once``).

Small towers are bound by the number of operations, large ones by memory. Times are medians over
turns in which every size has its go; ratios are of one run.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import time
from pathlib import Path

import torch

from npt_plugin.backbone.image_tower import ViT
from npt_plugin.backbone.loading import load_clip
from npt_plugin.backbone.openai import part_of_clip
from npt_plugin.system.processor import instruction_set

RESULTS = Path(__file__).resolve().parents[1] / "results" / "image_pieces.csv"
SIZES = (4, 8, 16, 32, 64)
TOWERS = {
    "32 px, patch 8, width 64, 2 layers": (32, 8, 64, 2),
    "64 px, patch 8, width 192, 6 layers": (64, 8, 192, 6),
    "224 px, patch 32, width 384, 4 layers": (224, 32, 384, 4),
    "224 px, patch 16, width 192, 4 layers": (224, 16, 192, 4),
    "224 px, patch 32, width 768, 3 layers": (224, 32, 768, 3),
    "224 px, patch 16, width 768, 2 layers": (224, 16, 768, 2),
}
"""Random ones by pixels, patch, width and layers, beside the embedded one."""


def random_tower(pixels: int, patch: int, width: int, layers: int) -> ViT:
    """A ViT with OpenAI's names in float32."""
    torch.manual_seed(0)
    model = part_of_clip("model").CLIP(64, pixels, layers, width, patch, 77, 100, 64, 1, 1)
    return ViT(model.float().eval().requires_grad_(False).visual)


@torch.no_grad()
def microseconds(tower: ViT, pixels: int, turns: int) -> dict[int, float]:
    """Of an image, by how many pass together; on one core."""
    images = torch.randn(128 if tower.width <= 128 else 64, 3, pixels, pixels)
    taken: dict[int, list[float]] = {size: [] for size in SIZES}
    for turn in range(turns + 1):  # the first does not count
        for size in SIZES:
            began = time.perf_counter()
            for piece in images.split(size):
                tower._encode(piece, None, ())
            if turn:
                taken[size].append((time.perf_counter() - began) / len(images) * 1e6)
    return {size: statistics.median(times) for size, times in taken.items()}


def main() -> None:
    """Measure all towers and append a row for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    embedded = load_clip("Tiny").float().image_tower()
    towers = {"Tiny": (embedded, 48)}
    towers |= {name: (random_tower(*spec), spec[0]) for name, spec in TOWERS.items()}
    new = not args.out.exists()
    with args.out.open("a", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        if new:
            sizes = [f"us_an_image_{n}_at_once" for n in SIZES]
            table.writerow(["tower", "tokens_x_width", *sizes, "threads", "cpu"])
        for name, (tower, pixels) in towers.items():
            work = len(tower.visual.positional_embedding) * tower.width
            found = microseconds(tower, pixels, args.turns)
            times = [round(us, 1) for us in found.values()]
            table.writerow([name, work, *times, 1, instruction_set()])
            print(name, work, {n: round(us / found[8], 3) for n, us in found.items()}, flush=True)


if __name__ == "__main__":
    main()
