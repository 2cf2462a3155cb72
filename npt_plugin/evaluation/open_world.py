"""Base and new classes judged together: every name competes for every test image.

Base-to-new accuracy tests each half of the classes among its own names, so it cannot see a new
image that is taken for a base class, the error which imbalance makes worst. All measures here are
of one table of logits, with a row for each test image of both halves and a column for each name.
Percentages throughout; what needs images of a half that has none is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from npt_plugin.evaluation.averages import harmonic_mean
from npt_plugin.evaluation.groups import GROUPS, ShotGroups
from npt_plugin.evaluation.metrics import expected_calibration_error

MEASURES = {
    "joint": "accuracy over all images among all names",
    "joint_base": "the same of base images",
    "joint_new": "the same of new images",
    "joint_H": "harmonic mean of the two",
    "auroc": "how surely base is told from new by the largest base probability among all names",
    "auroc_energy": "the same by the log-sum-exp of the base logits",
    "openworld_auc": "pairs of a base and a new image told apart and both right among their own",
    "ece_new": "expected calibration error of new images among new names",
    "ece_gap": "ECE of new images minus ECE of base images, each among their own names",
    "new_taken": "new images that are taken for a base class",
    "pull": "training images of a class that takes new images, over the mean class's; 100: none",
}
"""Scalar measures and what they are, in the order of tables."""


def open_world_metrics(
    logits: Tensor, labels: Tensor, counts: Sequence[int], groups: ShotGroups
) -> dict[str, Any]:
    """All measures of one run.

    Args:
        logits: (N, K), already times the logit scale; the base names are the first columns.
        labels: (N,) in 0..K-1; images of both halves in any order.
        counts: Training images of each base class; as many as there are base names.
        groups: Which base classes are many-, medium- and few-shot.

    Returns:
        ``MEASURES`` by name; ``taken``, for each base class the share (%) of all new images that
        are taken for it; ``taken_many``, ``taken_medium`` and ``taken_few``, the mean share of a
        class of the group, None for a group without classes.

    Sources: joint accuracy as in Zhou et al., DeCoOp, ICML 2024, arXiv:2406.00345; ECE of both
    halves as in Wang et al., ICML 2024, arXiv:2402.04655; the others at their functions.
    """
    n_base = len(counts)
    logits = logits.double()
    new = labels >= n_base  # (N,)
    hit = logits.argmax(dim=1) == labels
    base_logits, new_logits = logits[~new], logits[new]
    joint_base, joint_new = _share(hit[~new]), _share(hit[new])
    own = (
        base_logits[:, :n_base].argmax(dim=1) == labels[~new],
        new_logits[:, n_base:].argmax(dim=1) == labels[new] - n_base,
    )
    surest = [half.softmax(dim=1)[:, :n_base].amax(dim=1) for half in (base_logits, new_logits)]
    energy = [half[:, :n_base].logsumexp(dim=1) for half in (base_logits, new_logits)]
    ece_base = _ece(base_logits[:, :n_base], labels[~new])
    ece_new = _ece(new_logits[:, n_base:], labels[new] - n_base)
    both = joint_base is not None and joint_new is not None
    winners = new_logits.argmax(dim=1)
    taken = torch.bincount(winners[winners < n_base], minlength=n_base)  # (K_base,)
    return {
        "joint": _share(hit),
        "joint_base": joint_base,
        "joint_new": joint_new,
        "joint_H": harmonic_mean(joint_base, joint_new) if both else None,  # type: ignore[arg-type]  # not None
        "auroc": auroc(surest[0], surest[1]),
        "auroc_energy": auroc(energy[0], energy[1]),
        "openworld_auc": openworld_auc(surest[0], surest[1], own[0], own[1]),
        "ece_new": ece_new,
        "ece_gap": ece_new - ece_base if ece_new is not None and ece_base is not None else None,
        "new_taken": _share(winners < n_base),
        "pull": pull(taken, counts),
        **_by_group(taken, len(new_logits), counts, groups),
    }


def auroc(base: Tensor, new: Tensor) -> float | None:
    """How often a base image scores above a new one (%), ties counting half.

    The largest probability of a known class as the score: Hendrycks and Gimpel 2017,
    arXiv:1610.02136. Minus the energy, log-sum-exp of the known classes' logits: Liu et al. 2020,
    arXiv:2010.03759.

    Args:
        base: (N_base,) scores of base images.
        new: (N_new,) scores of new images.
    """
    pairs = len(base) * len(new)
    return 100.0 * _pairs_won(base, new) / pairs if pairs else None


def openworld_auc(base: Tensor, new: Tensor, base_right: Tensor, new_right: Tensor) -> float | None:
    """Pairs (%) of a base and a new image that are told apart and both classified rightly.

    The mean over all pairs of [base image right among base names] x [its score is above the new
    image's] x [new image right among new names]; ties of scores count half. It does not depend on
    how many images either half has. Source: Hua et al., OpenworldAUC, ICML 2025, arXiv:2505.05180.

    Args:
        base: (N_base,) scores of base images, larger for base.
        new: (N_new,) scores of new images.
        base_right: (N_base,) whether each is classified rightly among the base names.
        new_right: (N_new,) the same among the new names.
    """
    pairs = len(base) * len(new)
    return 100.0 * _pairs_won(base[base_right], new[new_right]) / pairs if pairs else None


def pull(taken: Tensor, counts: Sequence[int]) -> float | None:
    """Whether frequent classes take more new images than rare ones.

    The mean number of training images of the base class that takes a new image, over all taken,
    in percent of the mean number of a base class: 100 where frequency plays no part, more where
    frequent classes pull. Our own measure. None where no new image is taken.

    Args:
        taken: (K_base,) new images taken by each base class.
        counts: Training images of each.
    """
    weights, n = taken.double(), torch.tensor(counts, dtype=torch.double)
    if not weights.sum():
        return None
    return 100.0 * float((weights * n).sum() / weights.sum() / n.mean())


def _pairs_won(base: Tensor, new: Tensor) -> float:
    """Pairs in which the base score is larger; a tie is half a pair."""
    ordered = new.contiguous().sort().values
    below = torch.searchsorted(ordered, base.contiguous())
    not_above = torch.searchsorted(ordered, base.contiguous(), right=True)
    return float((below + not_above).sum()) / 2


def _by_group(
    taken: Tensor, n_new: int, counts: Sequence[int], groups: ShotGroups
) -> dict[str, Any]:
    shares = [100.0 * n / n_new for n in taken.tolist()] if n_new else None
    found: dict[str, Any] = {"taken": shares}
    for group in GROUPS:
        of = [k for k, n in enumerate(counts) if groups.group(n) == group]
        found[f"taken_{group}"] = sum(shares[k] for k in of) / len(of) if shares and of else None
    return found


def _share(hits: Tensor) -> float | None:
    return 100.0 * hits.double().mean().item() if len(hits) else None


def _ece(logits: Tensor, labels: Tensor) -> float | None:
    return expected_calibration_error(logits, labels) if len(labels) else None
