"""One run of the methods benchmark: through the real trainers, kept as a flat record."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import torch
from plan import SHOTS, Run

from npt_plugin.evaluation.averages import harmonic_mean
from npt_plugin.runs.configs import configs_folder
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record
from npt_plugin.sweep.job import Job, run_job
from npt_plugin.system.files import write_json
from npt_plugin.trainers.loaders import FeatureCacheLoader

SCORES = {
    "macro": "macro_accuracy",
    "many": "many",
    "medium": "medium",
    "few": "few",
    "worst": "worst_class",
    "ece": "ece",
}
COLLAPSE = (
    "nc1_image",
    "etf_distance_image",
    "etf_distance_text",
    "etf_distance_text_to_image",
    "nc2_equiangular_text",
    "nc2_equiangular_text_to_image",
    "nc3_distance",
    "nc3_cosine",
    "nc4_agreement",
    "effective_rank_text",
    "modality_gap",
)


def record_path(output: str, run: Run) -> Path:
    """Where the record of a run is kept."""
    method = "".join(c if c.isalnum() else "_" for c in run.method.name)
    folder = Path(output) / "runs" / run.dataset / f"ratio_{run.ratio:g}" / run.rule
    return folder / method / f"seed{run.seed}.json"


def perform(run: Run, root: str, output: str) -> Path:
    """Train and evaluate unless the record exists; leaves nothing but the record.

    Args:
        run: What to run.
        root: Folder of the drawn datasets.
        output: Top folder of the benchmark.

    Returns:
        Path of the record.
    """
    path = record_path(output, run)
    if path.exists():
        return path
    torch.set_num_threads(1)
    share_views((run.dataset, run.ratio, run.seed))
    work = Path(output) / "work" / path.relative_to(output).with_suffix("")
    shutil.rmtree(work, ignore_errors=True)
    options = ("TEST.FEATURE_STORE", f"{output}/features", "TEST.SAVE_PREDICTIONS", "False")
    job = Job(
        run.dataset,
        run.method.trainer,
        run.method.config,
        run.seed,
        run.ratio,
        SHOTS,
        root,
        str(work),
        (*options, *run.options),
    )
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        run_job(job, configs_folder())
    write_json(path, flat_record(run, job))
    shutil.rmtree(work, ignore_errors=True)
    return path


def flat_record(run: Run, job: Job) -> dict[str, Any]:
    """What the table is made from: accuracies in percent, NC metrics on base and new classes."""
    base, new = (read_record(job.folder(part) / RESULTS) for part in ("train", "new"))
    accuracies = [record.metrics["accuracy"] for record in (base, new)]
    return {
        "method": run.method.name,
        "dataset": run.dataset,
        "ratio": run.ratio,
        "rule": run.rule,
        "seed": run.seed,
        "config_hash": base.config_hash,
        "base": accuracies[0],
        "new": accuracies[1],
        "H": harmonic_mean(*accuracies),
        **{name: base.metrics.get(key) for name, key in SCORES.items()},
        **{f"base_{key}": base.metrics["nc"].get(key) for key in COLLAPSE},
        **{f"new_{key}": new.metrics["nc"].get(key) for key in COLLAPSE},
    }


_kept: dict[Any, Any] = {}
_encode = FeatureCacheLoader._encode


def share_views(data: tuple[str, float, int]) -> None:
    """Let runs on the same images share the cached views they would each compute.

    Views depend on the images and on the random state they are drawn from, which is the key: a
    method that draws more numbers before (CoCoOp's network) gets its own views.

    Args:
        data: Dataset, ratio and seed of the next run.
    """

    def shared(loader: FeatureCacheLoader) -> Any:
        state = loader.random_state
        drawn = pickle.dumps((state["python"], state["torch"].numpy().tobytes()))
        key = (*data, hashlib.sha256(drawn).hexdigest())
        if key not in _kept:
            while len(_kept) > 8:
                _kept.pop(next(iter(_kept)))
            _kept[key] = _encode(loader)
        return _kept[key]

    FeatureCacheLoader._encode = shared
