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
TUNING_DATASETS = ("embedded_sketches", "embedded_pairs")
"""Every choice was made on these, with seeds of their own, before the others were run."""

STAGES = (
    ("CoOp", (0.06,), 20),
    ("MaPLe", (0.06,), 20),
    ("CoCoOp", (0.06,), 20),
    ("CoOp", (0.25, 1.0), 10),
    ("MaPLe", (0.25, 1.0), 5),
    ("CoCoOp", (0.25, 1.0), 3),
)
"""Base trainer, ratios and number of seeds (1, 2, ...), the most telling first."""

TUNING_SEEDS = (101, 102, 103)
RATIOS = (0.06, 0.25, 1.0)
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
    """

    name: str
    base: str
    trainer: str
    options: tuple[str, ...] = ()

    @property
    def config(self) -> str:
        """Name of the yaml in ``configs/trainers/<trainer>``."""
        return CONFIGS[self.base]

    @property
    def cached(self) -> bool:
        """Whether the image tower is frozen, so that its features are cached."""
        return self.base != "MaPLe"


def _family(base: str) -> list[Method]:
    """A base trainer and NPT's three versions on it."""
    npt = f"NPT_{base}"
    return [
        Method(base, base, base),
        Method(f"{npt} (v3)", base, npt),
        Method(f"{npt} v2", base, npt, (f"{NPT}.VERSION", "v2", f"{NPT}.LAMBDA_LC", V2_WEIGHT)),
        Method(f"CPT on {base}", base, npt, (f"{NPT}.VERSION", "cpt")),
    ]


METHODS: tuple[Method, ...] = (
    *_family("CoOp"),
    Method("NPT_CoOp, plain ETF forms", "CoOp", "NPT_CoOp", PLAIN),
    Method("NPT_CoOp, LC alone", "CoOp", "NPT_CoOp", (f"{NPT}.LAMBDA_MI", "0.0")),
    Method("NPT_CoOp, MI alone", "CoOp", "NPT_CoOp", (f"{NPT}.LAMBDA_LC", "0.0")),
    Method("CoOp + balanced softmax", "CoOp", "CoOp", BALANCED_SOFTMAX),
    Method("NPT_CoOp + balanced softmax", "CoOp", "NPT_CoOp", BALANCED_SOFTMAX),
    Method("CoOp + LDAM + DRW", "CoOp", "CoOp", LDAM_DRW),
    Method("CoOp + post-hoc adjustment", "CoOp", "CoOp", (f"{LOSS}.POSTHOC_TAU", "1.0")),
    Method("CoOp + GNM", "CoOp", "CoOp", GNM),
    Method("NPT_CoOp + GNM", "CoOp", "NPT_CoOp", GNM),
    *_family("MaPLe"),
    *_family("CoCoOp"),
)


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
    for dataset in DATASETS:
        yield Run(ZERO_SHOT, dataset, 1.0, "epochs", 1)
    done: set[Run] = set()
    for base, ratios, seeds in STAGES:
        for run in _runs(base, ratios, min(seeds, most_seeds or seeds)):
            if run not in done:
                done.add(run)
                yield run


def _runs(base: str, ratios: tuple[float, ...], seeds: int) -> Iterator[Run]:
    methods = [method for method in METHODS if method.base == base]
    for seed, ratio, dataset in product(range(1, seeds + 1), ratios, DATASETS):
        for method, rule in product(methods, rules(ratio)):
            yield Run(method, dataset, ratio, rule, seed)


def rules(ratio: float) -> tuple[str, ...]:
    """Balanced data take the same steps under both rules."""
    return RULES if ratio < 1 else RULES[:1]
