"""What the measurements say about the targets of the speed rules."""

from __future__ import annotations

from typing import Any

STEPS, SHOTS_IMAGES = 450, 304  # 19 classes x 16 shots, 9 batches of 32 an epoch, 50 epochs
VIEWS = 8

TARGETS = (
    ("CoOp K=100 step B=32", "ratio", 4.0),
    ("CoOp K=100 text part", "ratio", 12.0),
    ("CoOp K=19 step B=32", "ratio", 1.2),
    ("CoOp K=19 step B=32 FEATURE_CACHE", "ratio", 15.0),
    ("CoOp K=500 step B=32", "ratio", 8.0),
    ("CoOp K=19 test per image", "ratio", 1.4),
    ("CoOp K=1000 test per image", "ratio", 4.0),
    ("CoCoOp K=19 step B=1", "ratio", 4.0),
    ("CoCoOp K=19 test per image", "ratio", 2.5),
    ("MaPLe K=100 step B=4", "ratio", 5.0),
    ("CoOp K=500 step B=32 peak memory", "ratio", 5.0),
)
"""Measurement, its ratio (other side by ours), and what it should be at least."""


def base_to_new(found: dict[str, Any], other: str, images: int) -> dict[str, float]:
    """Seconds of a whole base-to-new job, put together from its measured parts.

    CoOp, 16 shots, 50 epochs, 19 base classes, tests on base and new; without decoding images.

    Args:
        found: Measurements at K=19.
        other: Name of the other side.
        images: Test images of both halves.

    Returns:
        Seconds of each way to run it, and ratios.
    """
    step, test = found["CoOp K=19 step B=32"], found["CoOp K=19 test per image"]
    cached = found["CoOp K=19 step B=32 FEATURE_CACHE"]["ours"]
    views = VIEWS * SHOTS_IMAGES * test["ours"]
    jobs = {
        other: STEPS * step[other] + images * test[other],
        "ours": STEPS * step["ours"] + images * test["ours"],
        f"ours, FEATURE_CACHE {VIEWS}": views + STEPS * cached + images * test["ours"],
        "ours, FEATURE_CACHE 1": views / VIEWS + STEPS * cached + images * test["ours"],
        f"ours, FEATURE_CACHE {VIEWS}, test features on disk": views + STEPS * cached,
        "ours, FEATURE_CACHE 1, test features on disk": views / VIEWS + STEPS * cached,
    }
    ratios = {f"ratio {name}": jobs[other] / s for name, s in jobs.items() if name != other}
    return {name: round(value, 2) for name, value in {**jobs, **ratios}.items()}


def vit_operations(size: int, patch: int, layers: int, width: int = 768) -> float:
    """Multiplications and additions of one image through a ViT, in matrix products."""
    tokens = (size // patch) ** 2 + 1
    per_layer = 24 * tokens * width**2 + 4 * tokens**2 * width
    return layers * per_layer + 2 * tokens * 3 * patch**2 * width


def print_tables(
    found: dict[str, Any], other: str, images: int, shape: dict[str, int]
) -> None:
    """Print targets and what was measured, then the share of the matmul peak.

    Args:
        found: All measurements.
        other: Name of the other side.
        images: Test images of the job.
        shape: Size, patch and layers of the image tower.
    """
    print(f"\n| processor seconds | ours | {other} | ratio | wanted |\n|---|---|---|---|---|")
    for name, key, least in TARGETS:
        row = found.get(name)
        if row and key in row:
            theirs = f"{row[other]:.4g}" if other in row else ""
            print(f"| {name} | {row['ours']:.4g} | {theirs} | {row[key]:.3g} | {least} |")
    for name in ("NPT_CoOp over CoOp, K=100 B=32 FEATURE_CACHE", "MaPLe checkpoint", "whole job"):
        if name in found:
            print(f"{name}: {found[name]}")
    if "matmul peak" in found and "CoOp K=19 test per image" in found:
        work = vit_operations(shape["size"], shape["patch"], shape["layers"])
        share = work / found["CoOp K=19 test per image"]["ours"] / found["matmul peak"][1]
        print(f"share of the matmul peak in a test: {share:.0%}")
