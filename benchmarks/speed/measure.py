"""Our trainers against the public code on the same weights and images, taking turns.

python benchmarks/speed/measure.py [--quick] [--device cuda] [--out FILE] [--only PART ...]

With ``NPT_HOSTS`` (a folder with the checkouts of Dassl.pytorch, CoOp and
multimodal-prompt-learning) the other side is their own code; without, CLIP's own modules run
plainly. Weights are random: speed does not depend on them. Prints the table of targets and writes
JSON. Ratios are of processor seconds, which other work on the machine does not distort much; the
wall ratio stands beside them. With ``--device cuda`` both are of wall seconds until the GPU is
done, in fp16, and memory is the GPU's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import added_cost
import beside_public_code
import of_open_clip
import own_options
import torch
from targets import ceiling, share_of_peak, table, target_rows
from workbench import FULL, QUICK, TEST_IMAGES, Bench, random_clip

PARTS = {
    "coop": beside_public_code.coop,
    "many": beside_public_code.many,
    "cocoop": beside_public_code.cocoop,
    "maple": beside_public_code.maple,
    "npt": added_cost.npt,
    "optimizers": added_cost.optimizers,
    "growth": own_options.growth,
    "options": own_options.options,
    "open_clip": of_open_clip.open_clip,
}
"""In this order: later parts use numbers of earlier ones."""


def main() -> None:
    """Run the chosen parts, print tables, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two layers, 32 pixels: a smoke run")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="cuda: in fp16")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--note", default="", help="what to know about this run, for the JSON")
    parser.add_argument("--out", type=Path, help="JSON file; parts not run keep their numbers")
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: no CUDA device here; leave it out to measure the CPU")
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "random.pt"
        random_clip(QUICK if args.quick else FULL, weights)
        bench = Bench(args, str(weights))
        if args.out and args.out.exists() and len(args.only) < len(PARTS):
            bench.found = json.loads(args.out.read_text(encoding="utf-8"))["found"]
        for part in args.only:
            PARTS[part](bench)
            content = save(bench, args)
    if args.device == "cpu":
        print(
            f"\n{table(content['targets'])}\n\nshare of the matmul peak: {content['share of peak']}"
        )


def save(bench: Bench, args: argparse.Namespace) -> dict[str, Any]:
    """Write what was found so far; returns the content of the file."""
    found = bench.found
    on_gpu = args.device == "cuda"
    rows = [] if on_gpu else target_rows(found, bench.other)  # goals were set for a CPU
    precision = "fp16" if on_gpu else "fp32"
    about = {
        "date": date.today().isoformat(),
        "torch": torch.__version__,
        "threads": args.threads,
        "machine": platform.machine(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "other": bench.other,
        "model": "quick" if args.quick else f"ViT-B/16, random weights, {precision}",
        "device": torch.cuda.get_device_name() if on_gpu else "cpu",
        "note": args.note,
        "not measured": [r["what"] for r in rows if r["value"] is None],
    }
    peak = share_of_peak(found, bench.shape) if "CoOp K=19 test per image" in found else {}
    content = {"about": about, "targets": rows, "share of peak": peak, "found": found}
    if peak and "whole job" in found:
        content["ceiling of a cold job"] = ceiling(found, bench.other, TEST_IMAGES, bench.shape)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return content


if __name__ == "__main__":
    main()
