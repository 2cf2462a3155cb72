"""How the defaults were chosen: a grid on two drawn datasets that the report does not use.

    python benchmarks/methods/tuning.py run --output output/tuning
    python benchmarks/methods/tuning.py table

Every candidate runs at tau 0.06 under both rules on embedded_sketches and embedded_pairs with seeds
101 to 103. The score is the paired difference in H to the base trainer, averaged over datasets and
rules.
Competing methods get a grid too (margins, strengths), so that ours is not the only one tuned. Some
run at milder imbalance too, which came later and is a table of its own.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from evidence_tables import signed
from plan import MORE_TUNING_SEEDS as MORE_SEEDS
from plan import RULES, TUNING_DATASETS, TUNING_RATIO, Method, Run, rules
from plan import TUNING_SEEDS as SEEDS
from study_records import Record, read_csv
from tabulate import tabulate
from tuning_candidates import CANDIDATES, NEIGHBOURS, OTHERS, RIVALS
from tuning_where_weak import (
    FIVE_SEEDS,
    FORMER,
    MILD,
    MILD_RATIOS,
    ON_PROMPTSRC,
    PRIORS,
    PRIORS_ELSEWHERE,
    WEAK,
)

from npt_plugin.embedded.benchmarks import BENCHMARKS, ensure_benchmarks

CSV = Path(__file__).resolve().parents[1] / "results" / "methods_tuning.csv"


LATER = (*WEAK, *PRIORS, *PRIORS_ELSEWHERE, *ON_PROMPTSRC)
ALL = (*CANDIDATES, *OTHERS, *NEIGHBOURS, *RIVALS, *LATER)
Values = dict[str, dict[int, list[float]]]
"""By column, also by column and rule, and by seed: one number a dataset and rule."""


def runs() -> list[Run]:
    """All runs, those on the same data together."""
    five = tuple(method for method in ALL if method.name in FIVE_SEEDS)
    plan = [(ratio, five, MORE_SEEDS) for ratio in (TUNING_RATIO, *MILD_RATIOS)]
    plan += [(TUNING_RATIO, ALL, SEEDS)]
    plan += [(ratio, tuple(m for m in ALL if m.name in MILD), SEEDS) for ratio in MILD_RATIOS]
    found = (
        Run(method, dataset, ratio, rule, seed)
        for ratio, methods, seeds in plan
        for seed in seeds
        for dataset in TUNING_DATASETS
        for method in methods
        for rule in _rules(method, ratio)
    )
    return list(dict.fromkeys(found))


def _rules(method: Method, ratio: float) -> tuple[str, ...]:
    """The rules a candidate runs under."""
    return RULES[:1] if method.base == "CoCoOp" else rules(ratio)


class Scores:
    """The gathered runs at one imbalance.

    Args:
        records: All gathered runs.
        ratio: tau.
    """

    def __init__(self, records: list[Record], ratio: float) -> None:
        self.ratio = ratio
        self.values: dict[str, Values] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
        for r in (r for r in records if r["ratio"] == ratio):
            for column in ("base", "new", "H", "few"):
                if r[column] is not None:  # balanced data have no rare classes
                    for name in (column, f"{column} {r['rule']}"):
                        self.values[r["method"]][name][r["seed"]].append(r[column])

    def by_seed(self, method: Method, column: str) -> dict[int, float]:
        """Mean over datasets and rules of each seed that has run on all of them."""
        once = 1 if " " in column else len(_rules(method, self.ratio))
        found = self.values[method.name][column].items()
        return {s: float(np.mean(v)) for s, v in found if len(v) == once * len(TUNING_DATASETS)}

    def gains(self, method: Method, column: str) -> list[float]:
        """Paired differences to the base trainer."""
        base = next(m for m in ALL if m.name == method.base)
        own, others = self.by_seed(method, column), self.by_seed(base, column)
        return [own[seed] - others[seed] for seed in own if seed in others]

    def means(self, method: Method, *columns: str) -> list[str]:
        """Means over seeds."""
        return [f"{np.mean(list(self.by_seed(method, c).values())):.1f}" for c in columns]


def rows_of(records: list[Record]) -> list[list[str]]:
    """One row a candidate, the best score first."""
    scores, table = Scores(records, TUNING_RATIO), []
    for method in ALL:
        gains = scores.gains(method, "H")
        if gains:
            cells = [signed(scores.gains(method, c)) for c in ("H", *(f"H {r}" for r in RULES))]
            rest = scores.means(method, "base", "new", "H", "few")
            table.append((float(np.mean(gains)), [method.name, str(len(gains)), *cells, *rest]))
    return [row for _, row in sorted(table, key=lambda pair: -pair[0])]


def mild_rows_of(records: list[Record]) -> list[list[str]]:
    """One row a candidate that has run at milder imbalance, in the order of the grid."""
    all_scores = [Scores(records, ratio) for ratio in MILD_RATIOS]
    table = []
    for method in ALL:
        cells: list[str] = []
        for scores in all_scores:
            columns = [f"H {rule}" for rule in rules(scores.ratio)]
            gains = [scores.gains(method, column) for column in columns]
            cells += [str(len(gains[0])), *map(signed, gains)]
        balanced = all_scores[-1]
        if balanced.gains(method, "H"):
            table.append([method.name, *cells, *balanced.means(method, "base", "new")])
    return table


def five_rows_of(records: list[Record]) -> list[list[str]]:
    """One row a candidate of ``FIVE_SEEDS``: gains in five settings, and beside the former default.

    The last column is the mean over the settings, which decides: of a seed only if it has all five.
    """
    places = [
        (Scores(records, ratio), f"H {rule}")
        for ratio in (TUNING_RATIO, *MILD_RATIOS)
        for rule in rules(ratio)
    ]
    by_name = {method.name: method for method in ALL}
    table = []
    for name in FIVE_SEEDS:
        before = FORMER[by_name[name].base]
        former = [scores.by_seed(by_name[before], column) for scores, column in places]
        own = [scores.by_seed(by_name[name], column) for scores, column in places]
        seeds = set.intersection(*map(set, own), *map(set, former)) if own else set()
        cells = [signed(scores.gains(by_name[name], column)) for scores, column in places]
        more = [
            float(np.mean([a[s] - b[s] for a, b in zip(own, former, strict=True)]))
            for s in sorted(seeds)
        ]
        if more:
            table.append([name, str(len(more)), *cells, "" if name == before else signed(more)])
    return table


HEADS = [
    "candidate",
    "n",
    "H - base trainer's",
    "at equal epochs",
    "at equal steps",
    "base",
    "new",
    "H",
    "few",
]
FIVE_HEADS = [
    "candidate",
    "n",
    "tau 0.06, epochs",
    "tau 0.06, steps",
    "tau 0.25, epochs",
    "tau 0.25, steps",
    "tau 1",
    "mean, less the former default's",
]
MILD_HEADS = [
    "candidate",
    "n",
    "tau 0.25, at equal epochs",
    "tau 0.25, at equal steps",
    "n, tau 1",
    "tau 1",
    "base, tau 1",
    "new, tau 1",
]


def main(argv: list[str] | None = None) -> int:
    """Run the grid or print its table."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("command", choices=("run", "table"))
    p.add_argument("--root", default="data")
    p.add_argument("--output", default="output/tuning")
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    p.add_argument("--csv", default=str(CSV))
    args = p.parse_args(argv)
    if args.command == "run":
        from study import run_all

        names = [n for n, s in BENCHMARKS.items() if s.directory in TUNING_DATASETS]
        ensure_benchmarks(args.root, names)
        failed = run_all(runs(), args.root, args.output, args.jobs, Path(args.csv))
        if failed:
            print("\n".join(failed), file=sys.stderr)
            return 1
    records = read_csv(Path(args.csv))
    print(tabulate(rows_of(records), HEADS, tablefmt="github", disable_numparse=True))
    print("\nAt milder imbalance, H minus the base trainer's:\n")
    print(tabulate(mild_rows_of(records), MILD_HEADS, tablefmt="github", disable_numparse=True))
    print("\nWeights that fall with a class's images, H minus the base trainer's:\n")
    print(tabulate(five_rows_of(records), FIVE_HEADS, tablefmt="github", disable_numparse=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
