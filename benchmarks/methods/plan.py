"""What the methods benchmark compares: methods, settings, datasets and seeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

SHOTS = 16
CONFIGS = {"CoOp": "tiny_ep50_ctxv1", "CoCoOp": "tiny_ep10", "MaPLe": "tiny_ep5"}
BALANCED_STEPS = {"CoOp": 400, "CoCoOp": 2560, "MaPLe": 320}
"""Steps of 16 balanced shots of 16 classes under each config: the budget of the rule ``steps``."""

VIEWS = 8
"""Cached augmented views an image, where the image tower is frozen."""

DATASETS = ("embedded_objects", "embedded_shades", "embedded_textures", "embedded_overhead")
ARTISTS = ("embedded_posters", "embedded_woodcuts")
"""Another kind of shift, drawn after all choices had been made."""

TUNING_DATASETS = ("embedded_sketches", "embedded_pairs")
"""Every choice was made on these, with seeds of their own, before the others were run."""

TUNING_RATIO = 0.06
TUNING_SEEDS = (101, 102, 103)
MORE_TUNING_SEEDS = (*TUNING_SEEDS, 104, 105)
RATIOS = (0.01, 0.06, 0.25, 1.0)
RULES = ("epochs", "steps")
"""``epochs``: as many epochs as balanced data, the papers' rule; ``steps``: as many steps."""

LOSS, NPT = "TRAINER.IMBALANCE_LOSS", "TRAINER.NPT"
BALANCED_SOFTMAX = (f"{LOSS}.NAME", "balanced_softmax")
LDAM_DRW = (
    f"{LOSS}.NAME",
    "ldam",
    f"{LOSS}.LOGIT_SCALE",
    "17.5",
    f"{LOSS}.LDAM_MARGIN",
    "0.05",
    f"{LOSS}.DRW_EPOCH",
    "40",
)
GNM = ("OPTIM.GNM.ENABLED", "True", "OPTIM.GNM.SCHEDULE", "constant")
V2_WEIGHT = "3.0"
PLAIN = (
    f"{NPT}.LC.FORM",
    "etf",
    f"{NPT}.MI.FORM",
    "etf",
    f"{NPT}.CENTER",
    "False",
    f"{NPT}.LAMBDA_LC",
    "1.0",
    f"{NPT}.LAMBDA_MI",
    "1.0",
)


@dataclass(frozen=True)
class Method:
    """One row of the table.

    Attributes:
        name: Its name there.
        base: The base trainer it is compared with.
        trainer: Registry name.
        options: ``KEY value`` overrides.
        file: Name of its yaml in ``configs/trainers/<trainer>``; empty: its base trainer's.
    """

    name: str
    base: str
    trainer: str
    options: tuple[str, ...] = ()
    file: str = ""

    @property
    def config(self) -> str:
        """Name of the yaml in ``configs/trainers/<trainer>``."""
        return self.file or CONFIGS[self.base]

    @property
    def cached(self) -> bool:
        """Whether the image tower is frozen, so that its features are cached."""
        return self.base != "MaPLe"


ALIKE = (f"{NPT}.PRIOR_COUNT", "0.0")
"""Every class counts fully: the default up to version 0.2, and MaPLe's still."""


def _family(base: str) -> list[Method]:
    """A base trainer and NPT's versions on it."""
    npt = f"NPT_{base}"
    alike = () if base == "MaPLe" else ALIKE
    v2 = (f"{NPT}.VERSION", "v2", f"{NPT}.LAMBDA_LC", V2_WEIGHT)
    before = [Method(f"{npt}, every class alike", base, npt, alike)] if alike else []
    return [
        Method(base, base, base),
        Method(f"{npt} (v3)", base, npt),
        *before,
        Method(f"{npt} v2", base, npt, (*v2, *alike)),
        Method(f"CPT on {base}", base, npt, (f"{NPT}.VERSION", "cpt")),
    ]


FIRST: tuple[Method, ...] = (
    *_family("CoOp"),
    Method("NPT_CoOp, plain ETF forms", "CoOp", "NPT_CoOp", (*PLAIN, *ALIKE)),
    Method("NPT_CoOp, LC alone", "CoOp", "NPT_CoOp", (f"{NPT}.LAMBDA_MI", "0.0", *ALIKE)),
    Method("NPT_CoOp, MI alone", "CoOp", "NPT_CoOp", (f"{NPT}.LAMBDA_LC", "0.0", *ALIKE)),
    Method("CoOp + balanced softmax", "CoOp", "CoOp", BALANCED_SOFTMAX),
    Method("NPT_CoOp + balanced softmax", "CoOp", "NPT_CoOp", BALANCED_SOFTMAX),
    Method("NPT_CoOp + balanced softmax, alike", "CoOp", "NPT_CoOp", (*BALANCED_SOFTMAX, *ALIKE)),
    Method("CoOp + LDAM + DRW", "CoOp", "CoOp", LDAM_DRW),
    Method("CoOp + post-hoc adjustment", "CoOp", "CoOp", (f"{LOSS}.POSTHOC_TAU", "1.0")),
    Method("CoOp + GNM", "CoOp", "CoOp", GNM),
    Method("NPT_CoOp + GNM, alike", "CoOp", "NPT_CoOp", (*GNM, *ALIKE)),
    *_family("MaPLe"),
    *_family("CoCoOp"),
)
"""NPT, its parts, and losses for imbalanced data."""

NEAR = ("TRAINER.COOP.W", "0.5")
LESS_AGAINST = ("LOSS.LAMBDA", "0.25")
NEIGHBOURS = (
    Method("KgCoOp", "CoOp", "KgCoOp", NEAR),
    Method("KgCoOp, published weight", "CoOp", "KgCoOp", ("TRAINER.COOP.W", "8.0")),
    Method("NPT_KgCoOp, every class alike", "CoOp", "NPT_KgCoOp", (*NEAR, *ALIKE)),
    Method("ProGrad", "CoOp", "ProGrad", LESS_AGAINST),
    Method("ProGrad, published strength", "CoOp", "ProGrad", ("LOSS.LAMBDA", "1.0")),
)
"""Methods that stay near zero-shot CLIP, at the strength tuning chose and at the published one."""

CONTROLS = (
    Method("CoOp, half zero-shot at test", "CoOp", "CoOp", ("TEST.ZERO_SHOT_SHARE", "0.5")),
    Method("CoOp, stopped on validation", "CoOp", "CoOp", ("TEST.FINAL_MODEL", "best_val")),
)
"""What costs nothing to try; the share was fixed beforehand."""

CANDLE = Method("Candle", "CoOp", "Candle", ("OPTIM.LR", "0.001"), "tiny_ep50")
"""It knows the names of the new classes as it trains."""


def promptsrc_pulls(times: float) -> tuple[str, str, str, str]:
    """PromptSRC's published weights (25 for texts, 10 for images) times a factor, as overrides."""
    source = "TRAINER.PROMPTSRC"
    text, image = (str(published * times) for published in (25.0, 10.0))
    return f"{source}.TEXT_LOSS_WEIGHT", text, f"{source}.IMAGE_LOSS_WEIGHT", image


GENTLE = promptsrc_pulls(0.1)
"""What tuning chose."""

RARE = (f"{NPT}.PRIOR_COUNT", "4.0", f"{NPT}.LAMBDA_LC", "3.0", f"{NPT}.LAMBDA_MI", "3.0")
"""What tuning chose on PromptSRC: larger weights than MaPLe's, for classes with few images."""

PROMPTSRC = (
    Method("PromptSRC", "MaPLe", "PromptSRC", GENTLE),
    Method("PromptSRC, published weights", "MaPLe", "PromptSRC"),
    Method("NPT_PromptSRC", "MaPLe", "NPT_PromptSRC", (*GENTLE, *RARE)),
)
"""It stays near zero-shot CLIP and learns in both towers, so it stands beside MaPLe."""

METHODS = (*FIRST, *NEIGHBOURS, *CONTROLS, CANDLE, *PROMPTSRC)


@dataclass(frozen=True)
class Stage:
    """A part of the study.

    Attributes:
        methods: What is run; a base trainer's name: all of its methods.
        ratios: tau.
        seeds: 1, 2, ... up to this one.
        datasets: On which.
    """

    methods: tuple[str, ...] | str
    ratios: tuple[float, ...]
    seeds: int
    datasets: tuple[str, ...] = DATASETS

    @property
    def chosen(self) -> list[Method]:
        """The methods."""
        if isinstance(self.methods, str):
            return [method for method in METHODS if method.base == self.methods]
        return [method for method in METHODS if method.name in self.methods]


_FEW = ("CoOp", "NPT_CoOp (v3)", "CoOp + balanced softmax", "NPT_CoOp + balanced softmax", "KgCoOp")
_ALIKE = ("NPT_CoOp, every class alike", "NPT_CoOp + balanced softmax, alike")
# these had as many seeds as CoOp's rows before NPT_CoCoOp's default was another one
_EARLIER = tuple(
    method.name for method in FIRST if method.base != "CoOp" and method.name != "NPT_CoCoOp (v3)"
)

STAGES = (
    Stage("CoOp", RATIOS, 20),
    Stage("MaPLe", RATIOS, 10),
    Stage("CoCoOp", RATIOS, 10),
    Stage(_EARLIER, (0.06,), 20),
    Stage((*_FEW, *_ALIKE), (0.06,), 3, ARTISTS),
)
"""The most telling first."""


@dataclass(frozen=True)
class Run:
    """One training and its two evaluations.

    Attributes:
        method: What is run.
        dataset: Name of a file in ``configs/datasets``.
        ratio: tau = n_min / n_max.
        rule: ``epochs`` or ``steps``.
        seed: Of the run.
    """

    method: Method
    dataset: str
    ratio: float
    rule: str
    seed: int

    @property
    def key(self) -> tuple[str, float, str, str, int]:
        """What its record's ``methods_records.key`` is."""
        return self.rule, self.ratio, self.method.name, self.dataset, self.seed

    @property
    def options(self) -> tuple[str, ...]:
        """The ``KEY value`` overrides that tell it from other runs of its trainer."""
        steps = ("TRAIN.STEPS", str(BALANCED_STEPS[self.method.base]))
        return (*self.method.options, *(steps if self.rule == "steps" else ()))

    @property
    def views(self) -> tuple[str, ...]:
        """How training images are seen, as overrides."""
        return ("INPUT.CACHED_VIEWS", str(VIEWS)) if self.method.cached else ()


ZERO_SHOT = Method("ZeroshotCLIP", "CoOp", "ZeroshotCLIP")
"""Has no seed, no imbalance, no steps: run once a dataset."""


def report_runs(most_seeds: int = 0) -> Iterator[Run]:
    """The runs of the report, in the order of ``STAGES``, runs on the same data together.

    Args:
        most_seeds: No more seeds than these; 0: the plan's.
    """
    for dataset in dict.fromkeys(name for stage in STAGES for name in stage.datasets):
        yield Run(ZERO_SHOT, dataset, 1.0, "epochs", 1)
    found = (
        Run(method, dataset, ratio, rule, seed)
        for stage in STAGES
        for seed in range(1, min(stage.seeds, most_seeds or stage.seeds) + 1)
        for ratio, dataset in product(stage.ratios, stage.datasets)
        for method, rule in product(stage.chosen, rules(ratio))
    )
    yield from dict.fromkeys(found)  # stages overlap


def rules(ratio: float) -> tuple[str, ...]:
    """Balanced data take the same steps under both rules."""
    return RULES if ratio < 1 else RULES[:1]
