"""One run of the methods benchmark: the sweep's job that does it, and its flat record."""

from __future__ import annotations

from typing import Any

from plan import SHOTS, Run

from npt_plugin.evaluation.averages import harmonic_mean
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import Record, read_record
from npt_plugin.sweep.job import Job

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


def job_of(run: Run, root: str, output: str) -> Job:
    """The job of a sweep that does it.

    Args:
        run: What to run.
        root: Folder of the drawn datasets.
        output: Top folder of the benchmark's runs.
    """
    words = iter(run.options)
    return Job(
        run.dataset,
        run.method.trainer,
        run.method.config,
        run.seed,
        run.ratio,
        SHOTS,
        root,
        output,
        ("TEST.SAVE_PREDICTIONS", "False", *run.views),
        settings=tuple(sorted(zip(words, words, strict=True))),
    )


def halves(job: Job) -> tuple[Record, Record]:
    """The records of a completed job's runs on base and on new classes."""
    base, new = (read_record(job.folder(part) / RESULTS) for part in ("train", "new"))
    return base, new


def head(run: Run, base: Record, new: Record) -> dict[str, Any]:
    """Which run a flat record is of, and its accuracies in percent."""
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
    }


def flat_record(run: Run, job: Job) -> dict[str, Any]:
    """What the table is made from: accuracies in percent, NC metrics on base and new classes.

    Args:
        run: What was asked for.
        job: Its job, completed.
    """
    base, new = halves(job)
    return {
        **head(run, base, new),
        **{name: base.metrics.get(key) for name, key in SCORES.items()},
        **{f"base_{key}": base.metrics["nc"].get(key) for key in COLLAPSE},
        **{f"new_{key}": new.metrics["nc"].get(key) for key in COLLAPSE},
    }
