"""docs/geometry.md: what the attribution's runs say, and its figure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from attribution_plan import (
    ANCHORED,
    CONTROLS,
    FORMS,
    NEAR,
    NOTHING,
    PAIRS,
    PULL,
    RATIOS,
    STRENGTHS,
    ZERO,
)
from attribution_plan import ETF as PLAIN
from evidence_tables import signed
from plan import DATASETS
from scipy.stats import spearmanr
from study_records import Record
from tabulate import tabulate

from npt_plugin.system.files import write_text

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE, FIGURE = DOCS / "geometry.md", DOCS / "geometry.png"
GEOMETRY = (
    "base_etf_distance_text",
    "base_etf_distance_text_to_image",
    "base_nc3_cosine",
    "base_held",
    "new_etf_distance_text",
    "new_nc3_cosine",
    "new_near",
    "new_held",
)
SHOWN = ("base", "new", "H", "few", *GEOMETRY)
Seeds = dict[int, dict[str, float]]


def name_of(form: str, strength: float) -> str:
    """A row's method name in the CSV."""
    return f"{form} @ {strength:g}"


def by_seed(records: Sequence[Record], method: str, ratio: float) -> Seeds:
    """Means over the datasets, of seeds that have run on all of them."""
    found: dict[int, list[Record]] = defaultdict(list)
    for record in records:
        if (record["method"], record["ratio"]) == (method, ratio):
            found[record["seed"]].append(record)
    return {
        seed: {n: float(np.mean([np.nan if r[n] is None else r[n] for r in rows])) for n in SHOWN}
        for seed, rows in sorted(found.items())
        if {r["dataset"] for r in rows} >= set(DATASETS)
    }


def ratios_of(records: Sequence[Record]) -> list[float]:
    """Those that CoOp has run at."""
    return sorted({r["ratio"] for r in records if r["method"] == NOTHING.name})


def gain(a: Seeds, b: Seeds, column: str) -> list[float]:
    """Differences a - b seed by seed."""
    return [a[seed][column] - b[seed][column] for seed in a if seed in b]


def form_rows(records: Sequence[Record], ratio: float) -> list[list[str]]:
    """One row a form and strength: paired gains over CoOp, and geometry."""
    plain = by_seed(records, NOTHING.name, ratio)
    rows = [_row(NOTHING.name, plain, {})]
    for method in CONTROLS:
        if found := by_seed(records, method.name, ratio):
            rows.append(_row(method.name, found, plain))
    for strength in STRENGTHS:
        for form in FORMS:
            found = by_seed(records, name_of(form.name, strength), ratio)
            if found:
                rows.append(_row(name_of(form.name, strength), found, plain))
    return rows


def _row(name: str, found: Seeds, plain: Seeds) -> list[str]:
    mean = {c: np.mean([values[c] for values in found.values()]) for c in SHOWN}
    if plain:
        cells = [signed(gain(found, plain, column)) for column in ("H", "base", "new", "few")]
    else:
        cells = ["" if np.isnan(mean[c]) else f"{mean[c]:.1f}" for c in ("H", "base", "new", "few")]
    return [name, str(len(found)), *cells, *(f"{mean[name]:.2f}" for name in GEOMETRY)]


HEADS = (
    *("added term @ strength", "n", "H", "base", "new", "few"),
    *("ETF distance", "ETF distance to images", "NC3 cosine", "held"),
    *("new: ETF distance", "new: NC3 cosine", "new: near", "new: held"),
)

CONTRASTS = (
    (f"{ANCHORED} + pull", f"{NEAR} + pull", "an ETF to stand by, or nearness, beside the pull"),
    (f"{ANCHORED} + pull", f"{ZERO} + pull", "the same, both centred: the shape alone"),
    (f"{ANCHORED} + pull", f"{PLAIN} + pull", "the anchor beside a free ETF"),
    (ANCHORED, ZERO, "the shape alone, without pull"),
    (PULL, "pull, by class, batch", "the running mean"),
    ("pull, by class, batch", "pull, by image, batch", "each class counts once"),
    (f"{ANCHORED} + pull", NEAR, "NPT's pair, or nearness alone"),
    (f"{ZERO} + pull", NEAR, "a pull beside nearness"),
)
"""What is compared with what, and what the difference is."""


def contrast_rows(records: Sequence[Record], ratio: float) -> list[list[str]]:
    """Paired differences of H, base and new at each strength."""
    rows = []
    for ours, other, meaning in CONTRASTS:
        for strength in STRENGTHS:
            a, b = (by_seed(records, name_of(f, strength), ratio) for f in (ours, other))
            cells = [signed(gain(a, b, column)) for column in ("H", "base", "new")]
            if cells[0] != "-":
                rows.append([f"{ours} - {other}", f"{strength:g}", meaning, *cells])
    return rows


def new_class_rows(records: Sequence[Record]) -> list[list[str]]:
    """What goes with accuracy on new classes: values minus their mean on the same dataset and seed.

    Every run of a dataset, ratio and seed saw the same images, so what is left is the term's doing.
    """
    groups = defaultdict(list)
    for record in records:
        if record["method"] != "ZeroshotCLIP":
            groups[record["dataset"], record["ratio"], record["seed"]].append(record)
    rows = []
    for column, meaning in (
        ("new_near", "nearness to the zero-shot features"),
        ("new_held", "nearness of what tells classes apart"),
        ("new_etf_distance_text", "spread: distance of text to an ETF"),
        ("new_nc3_cosine", "alignment of text with image means"),
    ):
        cells = []
        for ratio in ratios_of(records):
            x, y = [], []
            for (_, its, _), some in groups.items():
                if its == ratio:
                    for values, name in ((x, column), (y, "new")):
                        of_runs = np.array([record[name] for record in some])
                        values.append(of_runs - of_runs.mean())
            enough = x and len(np.concatenate(x)) > 2
            found = spearmanr(np.concatenate(x), np.concatenate(y))[0] if enough else np.nan
            cells.append("-" if np.isnan(found) else f"{found:+.2f}")
        rows.append([f"`{column}`", meaning, *cells])
    return rows


def markdown(rows: list[list[str]], heads: Sequence[str]) -> str:
    """A Markdown table."""
    return tabulate(rows, list(heads), tablefmt="github", disable_numparse=True)


def page(records: Sequence[Record], factors: Mapping[float, Mapping[str, float]]) -> str:
    """All tables of the page, without its words."""
    parts = []
    for ratio in ratios_of(records):
        parts += [
            f"\n### tau {ratio:g}: gains over CoOp\n",
            markdown(form_rows(records, ratio), HEADS),
        ]
        heads = ("difference", "strength", "what differs", "H", "base", "new")
        parts += [f"\n### tau {ratio:g}: form against form\n"]
        parts += [markdown(contrast_rows(records, ratio), heads)]
    heads = (
        "new classes",
        "what it is",
        *(f"Spearman, tau {ratio:g}" for ratio in ratios_of(records)),
    )
    parts += ["\n### What goes with accuracy on new classes\n"]
    parts += [markdown(new_class_rows(records), heads)]
    rows = [[f.name, *(f"{factors[r][f.name]:.3g}" for r in RATIOS)] for f in FORMS]
    parts += ["\n### Strength of a term of weight 1\n"]
    parts += [markdown(rows, ("term", *(f"tau {r:g}" for r in RATIOS)))]
    return "\n".join(parts) + "\n"


MARK = "<!-- tables: python benchmarks/methods/attribution.py table --write -->\n"


def write(records: Sequence[Record], factors: Mapping[float, Mapping[str, float]]) -> None:
    """Put the tables behind the page's words, and draw the figure."""
    words = PAGE.read_text(encoding="utf-8").split(MARK)[0]
    write_text(PAGE, words + MARK + page(records, factors))
    draw(records)


def draw(records: Sequence[Record]) -> None:
    """Gains on base and new classes of every form, one panel a ratio."""
    import matplotlib.pyplot as plt

    ratios = ratios_of(records)
    wide = 3 + 4.5 * len(ratios)
    figure, axes = plt.subplots(1, len(ratios), figsize=(wide, 4.5), squeeze=False)
    pairs = {form.name for form in PAIRS}
    for ax, ratio in zip(axes[0], ratios, strict=True):
        plain = by_seed(records, NOTHING.name, ratio)
        for strength, size in zip(STRENGTHS, (70, 30), strict=True):
            for index, form in enumerate(FORMS):
                found = by_seed(records, name_of(form.name, strength), ratio)
                if not found:
                    continue
                x, y = (np.mean(gain(found, plain, c)) for c in ("base", "new"))
                marker = "s" if form.name in pairs else "o"
                label = form.name if size == 70 else None
                ax.scatter(x, y, s=size, marker=marker, color=f"C{index}", label=label)
        ax.axhline(0, color="grey", linewidth=0.6)
        ax.axvline(0, color="grey", linewidth=0.6)
        ax.set(title=f"tau {ratio:g}", xlabel="gain on base classes", ylabel="gain on new classes")
    axes[0][-1].legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.tight_layout()
    figure.savefig(FIGURE, dpi=110)
    plt.close(figure)
