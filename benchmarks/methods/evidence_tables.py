"""What the runs say: means, spreads, paired differences to the base trainer, correlations."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from plan import DATASETS, METHODS, NEIGHBOURS, RATIOS, RULES, ZERO_SHOT, rules
from scipy.stats import pearsonr, spearmanr
from study_records import Record
from tabulate import tabulate

from npt_plugin.evaluation.averages import interval, mean_and_sd

SHOWN = ("base", "new", "H", "macro", "many", "medium", "few")
GEOMETRY = ("base_etf_distance_text_to_image", "base_nc3_cosine")
HEADS = {"base_etf_distance_text_to_image": "ETF distance", "base_nc3_cosine": "NC3 cosine"}
RESAMPLES = 1000

Seeds = dict[int, dict[str, float]]
"""Values of a method by seed, each the mean over the datasets."""


def over_datasets(
    records: Sequence[Record],
    method: str,
    ratio: float,
    rule: str,
    datasets: Sequence[str] = DATASETS,
) -> Seeds:
    """Per seed, the mean over datasets; seeds that have not run on every one are left out."""
    by_seed: dict[int, list[Record]] = defaultdict(list)
    for r in records:
        asked = (r["method"], r["ratio"], r["rule"]) == (method, ratio, rule)
        if asked and r["dataset"] in datasets:
            by_seed[r["seed"]].append(r)
    names = (*SHOWN, *GEOMETRY)
    return {
        seed: {name: _mean([r[name] for r in rows]) for name in names}
        for seed, rows in sorted(by_seed.items())
        if {r["dataset"] for r in rows} >= set(datasets)
    }


def _mean(values: Sequence[float | None]) -> float:
    """Mean, or NaN where a value does not exist (balanced data have no few-shot classes)."""
    return float(np.mean([math.nan if v is None else v for v in values]))


def paired(ours: Seeds, base: Seeds, column: str) -> list[float]:
    """Differences seed by seed."""
    return [ours[s][column] - base[s][column] for s in ours if s in base]


def signed(values: Sequence[float]) -> str:
    """Mean and its 95 % interval."""
    if not values or np.isnan(values).any():
        return "-"
    limits = interval(values)
    text = f"{np.mean(values):+.1f}"
    return f"{text} [{limits[0]:+.1f}, {limits[1]:+.1f}]" if limits else text


def beside_neighbours(records: Sequence[Record], ratio: float, ours: str) -> str:
    """What NPT has more than methods that stay near zero-shot CLIP, paired by seed, as Markdown."""
    lines = []
    for method in NEIGHBOURS:
        line = [method.name]
        for rule in RULES:
            own, other = (over_datasets(records, m, ratio, rule) for m in (ours, method.name))
            values = [paired(own, other, column) for column in ("H", "base", "new")]
            line += [f"{signed(value)} ({len(value)})" for value in values]
        lines.append(line)
    heads = [f"{column}, equal {rule}" for rule in RULES for column in ("H", "base", "new")]
    return tabulate(lines, [f"{ours} less", *heads], tablefmt="github", disable_numparse=True)


def table(
    records: Sequence[Record], ratio: float, rule: str, datasets: Sequence[str] = DATASETS
) -> list[list[str]]:
    """One row a method: n, means and standard deviations, differences to its base trainer."""
    rows = []
    zero = over_datasets(records, ZERO_SHOT.name, 1.0, "epochs", datasets)
    if zero:
        first = next(iter(zero.values()))
        values = [f"{first[c]:.1f}" for c in ("base", "new", "H")]
        rest = [f"{first['macro']:.1f}", "", "", "", *_geometry(zero)]
        rows.append([ZERO_SHOT.name, "1", *values, "", "", *rest])
    for method in METHODS:
        found = over_datasets(records, method.name, ratio, rule, datasets)
        if not found:
            continue
        base = over_datasets(records, method.base, ratio, rule, datasets)
        own = method.name == method.base
        stats = [mean_and_sd([v[c] for v in found.values()]) for c in SHOWN]
        cells = ["" if math.isnan(m) else f"{m:.1f} ± {sd:.1f}" for m, sd in stats]
        differences = [
            "" if own else signed(paired(found, base, column)) for column in ("H", "few")
        ]
        rows.append(
            [method.name, str(len(found)), *cells[:3], *differences, *cells[3:], *_geometry(found)]
        )
    return rows


def _geometry(found: Seeds) -> list[str]:
    return [f"{np.mean([v[name] for v in found.values()]):.2f}" for name in GEOMETRY]


def overview(records: Sequence[Record]) -> str:
    """H of the base trainers and each method's difference to its own, in every setting."""
    rows = []
    for method in METHODS:
        cells = []
        for ratio, rule in settings():
            found = over_datasets(records, method.name, ratio, rule)
            base = over_datasets(records, method.base, ratio, rule)
            cells.append(_own_h(found) if method.name == method.base else _gain(found, base))
        rows.append([method.name, *cells])
    heads = [f"tau {r:g}" + (f", equal {rule}" if r < 1 else "") for r, rule in settings()]
    return tabulate(rows, ["method", *heads], tablefmt="github", disable_numparse=True)


def _own_h(found: Seeds) -> str:
    if not found:
        return "-"
    mean, sd = mean_and_sd([values["H"] for values in found.values()])
    return f"H {mean:.1f} ± {sd:.1f} ({len(found)})"


def _gain(found: Seeds, base: Seeds) -> str:
    differences = paired(found, base, "H")
    return f"{signed(differences)} ({len(differences)})" if differences else "-"


COLUMNS = [
    "method",
    "n",
    "base",
    "new",
    "H",
    "H - base trainer's",
    "few - base trainer's",
    "macro",
    "many",
    "medium",
    "few",
    *HEADS.values(),
]


def markdown(
    records: Sequence[Record],
    ratio: float,
    rule: str,
    columns: Sequence[str],
    datasets: Sequence[str] = DATASETS,
) -> str:
    """The table as Markdown with some of its columns."""
    places = [COLUMNS.index(name) for name in columns]
    rows = [[row[i] for i in places] for row in table(records, ratio, rule, datasets)]
    return tabulate(rows, list(columns), tablefmt="github", disable_numparse=True)


def by_dataset(
    records: Sequence[Record], ratio: float, rule: str, datasets: Sequence[str] = DATASETS
) -> str:
    """Difference in H to the base trainer on every dataset, as Markdown."""
    rows = []
    for method in METHODS:
        if method.name == method.base:
            continue
        cells = [
            signed(_on_one(records, method.name, method.base, dataset, ratio, rule))
            for dataset in datasets
        ]
        if any(cell != "-" for cell in cells):
            rows.append([method.name, *cells])
    return tabulate(rows, ["H minus base trainer's", *datasets], tablefmt="github")


def _on_one(
    records: Sequence[Record], name: str, base: str, dataset: str, ratio: float, rule: str
) -> list[float]:
    values: dict[str, dict[int, float]] = {name: {}, base: {}}
    for r in records:
        where = (r["dataset"], r["ratio"], r["rule"])
        if r["method"] in values and where == (dataset, ratio, rule):
            values[r["method"]][r["seed"]] = r["H"]
    return [h - values[base][s] for s, h in values[name].items() if s in values[base]]


# -- the second claim: does collapse of text-to-image features go with generalisation? ----------

PAIRS = (
    ("base_etf_distance_text_to_image", "base"),
    ("base_etf_distance_text_to_image", "new"),
    ("base_etf_distance_text_to_image", "H"),
    ("base_nc3_cosine", "new"),
    ("base_nc3_cosine", "H"),
    ("new_etf_distance_text_to_image", "new"),
    ("new_nc3_cosine", "new"),
    ("base_nc1_image", "H"),
    ("base_etf_distance_text", "H"),
)


def within(records: Sequence[Record], x: str, y: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values minus the mean of their dataset, ratio and rule, and the seed of each.

    Datasets differ in difficulty far more than methods do; what is asked is whether, on the same
    data, runs whose features stand more like an ETF generalise better.
    """
    groups: dict[tuple[Any, ...], list[Record]] = defaultdict(list)
    for r in records:
        if r["method"] != ZERO_SHOT.name and r.get(x) is not None:
            groups[r["dataset"], r["ratio"], r["rule"]].append(r)
    a, b, seeds = [], [], []
    for rows in groups.values():
        for values, name in ((a, x), (b, y)):
            column = np.array([r[name] for r in rows])
            values.append(column - column.mean())
        seeds.append(np.array([r["seed"] for r in rows]))
    return np.concatenate(a), np.concatenate(b), np.concatenate(seeds)


def correlation(records: Sequence[Record], x: str, y: str) -> dict[str, Any]:
    """Pearson's and Spearman's coefficient, each with a 95 % interval from resampled seeds.

    Runs that share a seed share images, so whole seeds are drawn with replacement.
    """
    a, b, seeds = within(records, x, y)
    rng, names = np.random.default_rng(0), np.unique(seeds)
    members = {s: np.flatnonzero(seeds == s) for s in names}
    drawn = []
    for _ in range(RESAMPLES):
        rows = np.concatenate([members[s] for s in rng.choice(names, len(names))])
        drawn.append((pearsonr(a[rows], b[rows])[0], spearmanr(a[rows], b[rows])[0]))
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    found: dict[str, Any] = {"x": x, "y": y, "n": len(a)}
    for i, (name, f) in enumerate((("pearson", pearsonr), ("spearman", spearmanr))):
        found[name] = [round(float(v), 3) for v in (f(a, b)[0], low[i], high[i])]
    return found


def correlations(records: Sequence[Record]) -> str:
    """All of ``PAIRS``, as Markdown."""
    rows = []
    for x, y in PAIRS:
        found = correlation(records, x, y)
        cells = [
            f"{value:+.2f} [{low:+.2f}, {high:+.2f}]"
            for value, low, high in (found["pearson"], found["spearman"])
        ]
        rows.append([f"`{x}`", y, found["n"], *cells])
    return tabulate(rows, ["metric", "accuracy", "runs", "Pearson", "Spearman"], tablefmt="github")


def settings() -> list[tuple[float, str]]:
    """Every ratio and rule of the report."""
    return [(ratio, rule) for ratio in RATIOS for rule in rules(ratio)]
