"""What the attribution compares: forms of an added term, alone and in pairs, at equal strength."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from plan import ALIKE, DATASETS, NPT, ZERO_SHOT, Method, Run

STRENGTHS = (9.0, 3.0)
"""Norm of the added gradient over that of cross-entropy, on the prompts (attribution_strength.py):
about that of NPT's weights of 10 with every class alike, and a third of it."""

RATIOS = (0.06, 1.0)
SEEDS = tuple(range(1, 11))
_W, _LC, _MI = "TRAINER.COOP.W", f"{NPT}.LAMBDA_LC", f"{NPT}.LAMBDA_MI"
_ONLY_MI, _ONLY_LC = (_LC, "0.0", *ALIKE), (_MI, "0.0", *ALIKE)
_BANK = (f"{NPT}.MI.FORM", "pull", f"{NPT}.MI.MOMENTUM", "0.9", *ALIKE)


@dataclass(frozen=True)
class Form:
    """What is added to CoOp's cross-entropy.

    Attributes:
        name: In the table.
        trainer: Registry name.
        options: ``KEY value`` overrides beside the weights.
        weights: Key of each part's weight, and the single form whose strength it has; one alone
            stands for itself.
    """

    name: str
    trainer: str
    options: tuple[str, ...]
    weights: tuple[tuple[str, str], ...]

    def method(self, strength: float, factors: Mapping[str, float]) -> Method:
        """The run's method.

        Args:
            strength: Wanted norm of the added gradient over cross-entropy's.
            factors: By name, what ``attribution_strength`` gave: the strength of a single form of
                weight 1; of a pair, of both parts at strength 1 each.
        """
        share = strength / (factors[self.name] if len(self.weights) > 1 else 1.0)
        words = [(key, f"{share / factors[part]:.6g}") for key, part in self.weights]
        options = (*self.options, *(word for pair in words for word in pair))
        return Method(f"{self.name} @ {strength:g}", "CoOp", self.trainer, options)


def _lc(name: str, form: str, center: str = "True") -> Form:
    options = (*_ONLY_LC, f"{NPT}.LC.FORM", form, f"{NPT}.CENTER", center)
    return Form(name, "NPT_CoOp", options, ((_LC, name),))


def _mi(name: str, form: str, momentum: str = "0.0") -> Form:
    options = (*_ONLY_MI, f"{NPT}.MI.FORM", form, f"{NPT}.MI.MOMENTUM", momentum)
    return Form(name, "NPT_CoOp", options, ((_MI, name),))


def _with_pull(name: str, part: str, form: str, center: str = "True") -> Form:
    options = (f"{NPT}.LC.FORM", form, f"{NPT}.CENTER", center, *_BANK)
    return Form(name, "NPT_CoOp", options, ((_LC, part), (_MI, PULL)))


NEAR, ZERO, ETF, ANCHORED = "nearness", "nearness, centred", "plain ETF", "anchored ETF"
PULL = "pull, by class, bank"
SINGLES = (
    Form(NEAR, "KgCoOp", (), ((_W, NEAR),)),
    _lc(ZERO, "zero_shot"),
    _lc(ETF, "etf", "False"),
    _lc(ANCHORED, "anchored"),
    _mi(PULL, "pull", "0.9"),
    _mi("pull, by class, batch", "pull"),
    _mi("pull, by image, batch", "pull_images"),
)
PAIRS = (
    Form(f"{NEAR} + pull", "NPT_KgCoOp", (*_ONLY_MI, *_BANK), ((_W, NEAR), (_MI, PULL))),
    _with_pull(f"{ZERO} + pull", ZERO, "zero_shot"),
    _with_pull(f"{ETF} + pull", ETF, "etf", "False"),
    _with_pull(f"{ANCHORED} + pull", ANCHORED, "anchored"),
)
"""Of pairs both parts have the same strength, and their sum the strength of the row."""

FORMS = (*SINGLES, *PAIRS)
NOTHING = Method("nothing", "CoOp", "CoOp")
CONTROLS = (
    Method("nothing, stopped early", "CoOp", "CoOp", ("TEST.FINAL_MODEL", "best_val")),
    Method("nothing, half zero-shot", "CoOp", "CoOp", ("TEST.ZERO_SHOT_SHARE", "0.5")),
)
"""What needs no term: the best epoch by validation images, and a mixture fixed beforehand."""


def attribution_runs(
    factors: Mapping[float, Mapping[str, float]],
    ratios: tuple[float, ...] = RATIOS,
    seeds: tuple[int, ...] = SEEDS,
    strengths: tuple[float, ...] = STRENGTHS,
) -> Iterator[Run]:
    """All runs at equal epochs, seed by seed, so that a study cut short is whole for its seeds.

    Args:
        factors: By ratio, see ``Form.method``.
        ratios, seeds, strengths: Which of them.
    """
    for dataset in DATASETS:
        yield Run(ZERO_SHOT, dataset, 1.0, "epochs", 1)
    for ratio, seed, dataset in product(ratios, seeds, DATASETS):
        for method in (NOTHING, *CONTROLS):
            yield Run(method, dataset, ratio, "epochs", seed)
        for strength, form in product(strengths, FORMS):
            yield Run(form.method(strength, factors[ratio]), dataset, ratio, "epochs", seed)
