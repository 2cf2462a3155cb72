"""What the measurements say about the targets: the tables of README.md and docs/speed.md.

python benchmarks/speed/targets.py benchmarks/results/speed.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

STEPS, SHOTS_IMAGES = 450, 304  # 19 classes x 16 shots, 9 batches of 32 an epoch, 50 epochs
VIEWS = 8
SEEDS = 3

_JOB = "whole job"
_CACHED_STEP = "CoOp K=19 step B=32 FEATURE_CACHE"
_GIB = 2**30


class Target(NamedTuple):
    """One row of the table.

    Attributes:
        what: As the reader sees it.
        name: Of the measurement.
        key: Of the number in it that is judged; "": the measurement is the number.
        bound: What it must reach or stay below.
        least: Whether ``bound`` is the least (a speed-up) or the most (a cost).
        unit: How the number is shown: x (times), % or GiB.
    """

    what: str
    name: str
    key: str
    bound: float
    least: bool = True
    unit: str = "x"


TARGETS = (
    Target("CoOp step, K=100, batch 32", "CoOp K=100 step B=32", "ratio", 4),
    Target("its text part", "CoOp K=100 text part", "ratio", 12),
    Target("CoOp step, K=19, batch 32", "CoOp K=19 step B=32", "ratio", 1.2),
    Target("with FEATURE_CACHE", "CoOp K=19 step B=32 FEATURE_CACHE", "ratio", 15),
    Target("CoOp step, K=500, batch 32", "CoOp K=500 step B=32", "ratio", 8),
    Target("CoOp test an image, K=19", "CoOp K=19 test per image", "ratio", 1.4),
    Target("CoOp test an image, K=1000", "CoOp K=1000 test per image", "ratio", 4),
    Target("bf16 test an image, over upstream's fp32", "bf16 test per image", "of other", 3),
    Target("bf16 test an image, over our fp32", "bf16 test per image", "ratio", 3),
    Target("CoCoOp step, K=19, batch 1", "CoCoOp K=19 step B=1", "ratio", 4),
    Target("CoCoOp test an image, K=19", "CoCoOp K=19 test per image", "ratio", 2.5),
    Target("MaPLe step, K=100, batch 4", "MaPLe K=100 step B=4", "ratio", 5),
    Target("whole job, 8 views, cold", _JOB, "ratio ours, FEATURE_CACHE 8", 15),
    Target("whole job, 1 view, cold", _JOB, "ratio ours, FEATURE_CACHE 1", 15),
    Target("whole job, 8 views, cold, bf16", _JOB, "ratio ours, bf16, FEATURE_CACHE 8", 15),
    Target("whole job, 1 view, cold, bf16", _JOB, "ratio ours, bf16, FEATURE_CACHE 1", 15),
    Target("three seeds, 8 views, cold", _JOB, "ratio ours, FEATURE_CACHE 8, three seeds", 15),
    Target("three seeds, 1 view, cold", _JOB, "ratio ours, FEATURE_CACHE 1, three seeds", 15),
    Target(
        "whole job, 8 views, test features on disk",
        _JOB,
        "ratio ours, FEATURE_CACHE 8, test features on disk",
        15,
    ),
    Target("peak memory, CoOp step, K=500", "CoOp K=500 step B=32 peak memory", "ratio", 5),
    Target(
        "memory of a CoOp step, K=1000",
        "CoOp K=1000 step B=32 peak memory",
        "ours",
        6 * _GIB,
        False,
        "GiB",
    ),
    Target(
        "NPT of a CoOp step, K=100", "NPT_CoOp over CoOp, K=100 B=32", "of a step", 0.03, False, "%"
    ),
    Target(
        "NPT of a step on cached features, K=100",
        "NPT_CoOp over CoOp, K=100 B=32",
        "of a cached step",
        0.03,
        False,
        "%",
    ),
    *(
        Target(
            f"NPT {version} of a CoOp step, K=1000",
            f"NPT {version} objective K=1000 B=32",
            "of a step",
            0.03,
            False,
            "%",
        )
        for version in ("v3", "v2", "cpt")
    ),
    Target(
        "GNM, of a step on cached features",
        "GNM over SGD, CoOp K=100 B=32 FEATURE_CACHE",
        "times the base step",
        1.05,
        False,
    ),
    Target(
        "SAM, of a step on cached features",
        "SAM over SGD, CoOp K=100 B=32 FEATURE_CACHE",
        "times the base step",
        2.1,
        False,
    ),
    Target("MaPLe checkpoint of theirs", "MaPLe checkpoint", "ours of other", 0.01, False, "%"),
    *(
        Target(f"{name}: logits differ by", f"{name} parity", "", 1e-5, False, "")
        for name in ("CoOp K=19", "CoOp K=100", "CoOp K=1000", "CoCoOp K=19", "MaPLe K=100")
    ),
)
"""What the speed rules ask for, and its neighbours."""


def target_rows(found: dict[str, Any], other: str) -> list[dict[str, Any]]:
    """Each target with what was measured; ``met`` is None where it was not.

    Args:
        found: All measurements.
        other: Name of the other side.
    """
    add_derived(found, other)
    rows = []
    for target in TARGETS:
        entry = found.get(target.name)
        value = entry.get(target.key) if isinstance(entry, dict) else entry
        row: dict[str, Any] = {"what": target.what, "measurement": target.name, "value": value}
        if isinstance(entry, dict):
            row |= {key: entry[key] for key in ("ours", other, "note") if key in entry}
        row |= {"target": target.bound, "wanted": "at least" if target.least else "at most"}
        row["unit"], row["met"] = target.unit, None
        if value is not None:
            row["met"] = value >= target.bound if target.least else value <= target.bound
        rows.append(row)
    return rows


def add_derived(found: dict[str, Any], other: str) -> None:
    """Numbers made of two measurements: bf16 of ours against fp32 of the other side.

    A cold job in bf16 sees every image in bf16; its steps count as the fp32 ones.
    """
    bf16, fp32 = found.get("bf16 test per image"), found.get("CoOp K=19 test per image")
    if bf16 and fp32 and other in fp32:
        bf16["of other"] = round(fp32[other] / bf16["bf16"], 3)
        job = found.get(_JOB, {})
        for views in (VIEWS, 1) if other in job else ():
            cold = job[f"ours, FEATURE_CACHE {views}"]
            images = (cold - STEPS * found[_CACHED_STEP]["ours"]) / fp32["ours"]
            seconds = cold - images * (fp32["ours"] - bf16["bf16"])
            job[f"ratio ours, bf16, FEATURE_CACHE {views}"] = round(job[other] / seconds, 2)


def base_to_new(found: dict[str, Any], other: str, images: int) -> dict[str, float]:
    """Seconds of a whole base-to-new job, put together from its measured parts.

    CoOp, 16 shots, 50 epochs, 19 base classes, tests on base and new; without decoding images.
    ``three seeds`` is the published protocol from an empty disk: the seeds share the test images,
    whose features ``TEST.FEATURE_STORE`` keeps.

    Args:
        found: Measurements at K=19.
        other: Name of the other side.
        images: Test images of both halves.

    Returns:
        Seconds of each way to run it, and ratios.
    """
    step, test = found["CoOp K=19 step B=32"], found["CoOp K=19 test per image"]
    cached = STEPS * found[_CACHED_STEP]["ours"]
    tested = images * test["ours"]
    theirs = STEPS * step[other] + images * test[other]
    jobs = {other: theirs, "ours": STEPS * step["ours"] + tested}
    ratios = {"ratio ours": theirs / jobs["ours"]}
    for views in (VIEWS, 1):
        name, trained = f"ours, FEATURE_CACHE {views}", views * SHOTS_IMAGES * test["ours"] + cached
        jobs[name] = trained + tested
        jobs[f"{name}, test features on disk"] = trained
        jobs[f"{name}, three seeds"] = SEEDS * trained + tested
        for suffix, times in (("", 1), (", test features on disk", 1), (", three seeds", SEEDS)):
            ratios[f"ratio {name}{suffix}"] = times * theirs / jobs[f"{name}{suffix}"]
    return {name: round(value, 2) for name, value in {**jobs, **ratios}.items()}


def vit_operations(
    size: int, patch: int, layers: int, width: int = 768, needed: bool = False
) -> float:
    """Multiplications and additions of one image through a ViT, in matrix products.

    Args:
        size: Pixels a side.
        patch: Pixels of a patch a side.
        layers: Residual blocks.
        width: Of a token.
        needed: Leave out what the class token's last layer does not need, as our tower does.
    """
    tokens = (size // patch) ** 2 + 1
    per_layer = 24 * tokens * width**2 + 4 * tokens**2 * width
    spared = (tokens - 1) * (20 * width**2 + 4 * tokens * width) if needed else 0
    return layers * per_layer - spared + 2 * tokens * 3 * patch**2 * width


def share_of_peak(found: dict[str, Any], shape: dict[str, int]) -> dict[str, float]:
    """Part of the matmul peak that a test reaches, of oneDNN's and of MKL's.

    Args:
        found: All measurements.
        shape: Size, patch and layers of the image tower.
    """
    work = vit_operations(shape["size"], shape["patch"], shape["layers"], needed=True)
    speed = work / found["CoOp K=19 test per image"]["ours"]
    kernels = [name for name in ("oneDNN", "MKL") if f"matmul peak {name}" in found]
    return {name: round(speed / found[f"matmul peak {name}"][1], 3) for name in kernels}


def ceiling(found: dict[str, Any], other: str, images: int, shape: dict[str, int]) -> float:
    """Times faster than the other side that a cold whole job with one view could be at most.

    Its images at the matmul peak, everything else for nothing.

    Args:
        found: All measurements.
        other: Name of the other side.
        images: Test images of the job.
        shape: Size, patch and layers of the image tower.
    """
    work = vit_operations(shape["size"], shape["patch"], shape["layers"], needed=True)
    least = (images + SHOTS_IMAGES) * work / found["matmul peak oneDNN"][1]
    return round(found[_JOB][other] / least, 2)


def _shown(value: float | None, unit: str) -> str:
    if value is None:
        return "not measured"
    if unit == "%":
        return f"{100 * value:.2g} %"
    if unit == "GiB":
        return f"{value / _GIB:.2g} GiB"
    return f"{value:.2g}" if unit == "" else f"{value:.3g}"


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown of ``target_rows``."""
    lines = ["| | measured | wanted | met |", "|---|---|---|---|"]
    for row in rows:
        value, bound = (_shown(row[key], row["unit"]) for key in ("value", "target"))
        word = {True: "yes", False: "no", None: "-"}[row["met"]]
        lines.append(f"| {row['what']} | {value} | {row['wanted']} {bound} | {word} |")
    return "\n".join(lines)


def main() -> int:
    """Print the table of a results file."""
    content = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(table(target_rows(content["found"], content["about"]["other"])))
    print("\nShare of the matmul peak in a test:", content.get("share of peak"))
    print("A cold job with one view at that peak:", content.get("ceiling of a cold job"), "times")
    return 0


if __name__ == "__main__":
    sys.exit(main())
