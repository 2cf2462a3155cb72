"""More candidates for where NPT gains least: MaPLe, CoCoOp, equal steps, milder imbalance.

Each of three additions is tried with NPT and on the plain base trainer, with the same budget:
balanced softmax, a Gaussian average over epochs, and a share of zero-shot text features at test.
"""

from __future__ import annotations

from plan import ALIKE, BALANCED_SOFTMAX, GENTLE, NPT, Method

AVERAGES = {
    "CoOp": {"late": (37.5, 2.5), "wide": (25.0, 10.0)},
    "MaPLe": {"late": (3.75, 0.5), "wide": (2.5, 1.0)},
    "CoCoOp": {"late": (7.5, 0.5), "wide": (5.0, 2.0)},
}
"""Mean and standard deviation in epochs: ``late`` is PromptSRC's (15 and 1 of 20 epochs; of so few
epochs as MaPLe's half an epoch), ``wide`` weighs half the epochs."""

WEIGHT = {"CoOp": 10.0, "MaPLe": 1.0, "CoCoOp": 10.0}
"""NPT's default weights, which stand in the embedded configs."""


def gaussian(base: str, kind: str) -> tuple[str, ...]:
    """A Gaussian average over the epochs of a base trainer's config."""
    mean, sd = AVERAGES[base][kind]
    words = ("TRAIN.AVERAGE", "gaussian", "TRAIN.AVERAGE_MEAN", str(mean))
    return (*words, "TRAIN.AVERAGE_SD", str(sd))


def alike(base: str) -> tuple[str, ...]:
    """Every class counts fully: the default when these were tried, and MaPLe's still."""
    return () if base == "MaPLe" else ALIKE


def share(zero_shot: float) -> tuple[str, ...]:
    """A share of zero-shot text features at test."""
    return ("TEST.ZERO_SHOT_SHARE", str(zero_shot))


def both(base: str, added: str, *options: str) -> tuple[Method, Method]:
    """An addition on the base trainer and on NPT with the defaults it had then."""
    return (
        Method(f"{base} + {added}", base, base, options),
        Method(f"NPT_{base} + {added}", base, f"NPT_{base}", (*options, *alike(base))),
    )


def other(base: str, weight: float, form: str = "anchored", *more: str) -> Method:
    """NPT on a base trainer with another weight of both terms, or another form of LC."""
    options = (f"{NPT}.LAMBDA_LC", str(weight), f"{NPT}.LAMBDA_MI", str(weight))
    options = options if weight != WEIGHT[base] else ()
    options += (f"{NPT}.LC.FORM", form) if form != "anchored" else ()
    title = f"NPT_{base}: LC {form} {weight:g}, MI pull {weight:g}"
    title += " + balanced softmax" if more else ""
    return Method(title, base, f"NPT_{base}", (*options, *more, *alike(base)))


WEAK: tuple[Method, ...] = (
    *both("CoOp", "average, late", *gaussian("CoOp", "late")),
    *both("CoOp", "average, wide", *gaussian("CoOp", "wide")),
    *both("CoOp", "balanced softmax, average, wide", *BALANCED_SOFTMAX, *gaussian("CoOp", "wide")),
    *both("CoOp", "zero-shot share 0.25", *share(0.25)),
    *both("CoOp", "zero-shot share 0.5", *share(0.5)),
    *(other("CoOp", weight) for weight in (1.0, 5.0)),
    other("CoOp", 10.0, "zero_shot"),
    other("CoOp", 10.0, "zero_shot", *BALANCED_SOFTMAX),
    *(
        method
        for base in ("MaPLe", "CoCoOp")
        for method in (
            *both(base, "balanced softmax", *BALANCED_SOFTMAX),
            *both(base, "average, wide", *gaussian(base, "wide")),
            *both(
                base, "balanced softmax, average, wide", *BALANCED_SOFTMAX, *gaussian(base, "wide")
            ),
            other(base, WEIGHT[base] / 2),
            other(base, WEIGHT[base] * 2),
        )
    ),
)
"""NPT on CoOp with balanced softmax alone is in the first grid."""


def prior(images: float, weight: float, *more: str, base: str = "CoOp") -> Method:
    """NPT whose geometry is worth so many images of a class."""
    options = (f"{NPT}.PRIOR_COUNT", str(float(images)))
    options += (f"{NPT}.LAMBDA_LC", str(weight), f"{NPT}.LAMBDA_MI", str(weight))
    title = f"NPT_{base}: prior of {images:g} images, weights {weight:g}"
    title += " + balanced softmax" if more else ""
    return Method(title, base, f"NPT_{base}", (*options, *more))


PRIORS = (
    *(prior(images, 10.0) for images in (2, 4, 8, 16, 32)),
    *(prior(images, 15.0) for images in (4, 8)),
    prior(4, 20.0),
    *(prior(images, 10.0, *BALANCED_SOFTMAX) for images in (8, 16)),
    prior(4, 15.0, *BALANCED_SOFTMAX),
)
"""Weights that fall with the images of a class."""

PRIORS_ELSEWHERE = (
    prior(4, 10.0, base="CoCoOp"),
    *(prior(4, weight, base="MaPLe") for weight in (1.0, 2.0, 3.0)),
    *(prior(16, weight, base="MaPLe") for weight in (1.0, 2.0)),
)
"""The chosen one on the other base trainers, at their weights; MaPLe's are small to begin with."""


def on_promptsrc(weight: float, images: float) -> Method:
    """NPT on PromptSRC at a tenth of its published weights, the strength that did best."""
    options = (*GENTLE, f"{NPT}.LAMBDA_LC", str(weight), f"{NPT}.LAMBDA_MI", str(weight))
    title = f"NPT_PromptSRC x0.1: prior of {images:g} images, weights {weight:g}"
    more = (f"{NPT}.PRIOR_COUNT", str(float(images)))
    return Method(title, "MaPLe", "NPT_PromptSRC", (*options, *more))


ON_PROMPTSRC = (on_promptsrc(1.0, 0), on_promptsrc(1.0, 4), on_promptsrc(3.0, 4))
"""Beside ``PromptSRC x0.1``; 0: every class alike."""

FORMER = {
    "CoOp": "LC anchored 10, MI pull 10, EMA 0.9",
    "MaPLe": "MaPLe: LC anchored 1, MI pull 1, EMA 0.9",
}
"""The defaults up to version 0.2, every class alike."""

FIVE_SEEDS = (
    "CoOp",
    FORMER["CoOp"],
    "LC anchored 3, MI pull 3, EMA 0.9",
    "NPT_CoOp: LC anchored 5, MI pull 5",
    *(method.name for method in PRIORS),
    "MaPLe",
    FORMER["MaPLe"],
    *(method.name for method in PRIORS_ELSEWHERE if method.trainer == "NPT_MaPLe"),
)
"""Compared with the defaults at every imbalance."""

MILD_RATIOS = (0.25, 1.0)
MILD = (
    "CoOp",
    "balanced softmax",
    "CoOp + zero-shot share 0.25",
    "LC anchored 10, MI pull 10, EMA 0.9",
    "LC anchored 10, MI pull 10, EMA 0.9 + balanced softmax",
    "LC anchored 3, MI pull 3, EMA 0.9",
    "NPT_CoOp + zero-shot share 0.25",
    *(method.name for method in WEAK if method.name.startswith("NPT_CoOp: LC")),
    *(method.name for method in (*PRIORS, *PRIORS_ELSEWHERE)),
    "CoCoOp",
    "CoCoOp: LC anchored 10, MI pull 10, EMA 0.9",
    "MaPLe",
    "MaPLe: LC anchored 1, MI pull 1, EMA 0.9",
    "MaPLe: LC anchored 3, MI pull 3, EMA 0.9",
    "MaPLe + balanced softmax",
    "NPT_MaPLe + balanced softmax",
    *(method.name for method in WEAK if method.name.startswith("NPT_MaPLe: LC")),
)
"""What also runs at ``MILD_RATIOS``."""
