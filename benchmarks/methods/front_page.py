"""The numbers of README.md and docs/: each between two marks, each from committed results.

    python benchmarks/methods/front_page.py            # write them
    python benchmarks/methods/front_page.py pictures   # and draw docs/images/ anew

A block stands between ``<!-- made: NAME -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import open_world
from evidence_tables import over_datasets, paired, signed
from findings import findings
from study_records import Record, read_csv

from npt_plugin.evaluation.averages import interval
from npt_plugin.system.files import write_text

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
RUNS = RESULTS / "methods_runs.csv"
DEMO = RESULTS / "demo_table.csv"
SPEED = RESULTS / "speed.json"
INSTRUCTION_SETS = RESULTS / "instruction_sets.json"
PAGES = (
    ROOT / "README.md",
    *(ROOT / "docs" / f"{name}.md" for name in ("index", "speed", "findings")),
)
BLOCK = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


class Pair(NamedTuple):
    """One row of "does it help": a method against its base trainer at one imbalance ratio."""

    method: str
    base: str
    ratio: float

    @property
    def label(self) -> str:
        """As readers know the two."""
        return f"{self.method.removesuffix(' (v3)')} − {self.base}"


PAIRS = (
    Pair("NPT_CoOp (v3)", "CoOp", 0.06),
    Pair("NPT_MaPLe (v3)", "MaPLe", 0.06),
    Pair("NPT_CoCoOp (v3)", "CoCoOp", 0.06),
    Pair("NPT_CoOp (v3)", "CoOp", 0.25),
    Pair("NPT_CoOp (v3)", "CoOp", 1.0),
    Pair("NPT_CoCoOp (v3)", "CoCoOp", 1.0),
)
"""Strong imbalance on every base trainer, then where there is less to gain."""

SHOWN_SPEED = (  # what, its name in the results, what was wanted
    ("CoOp step, K=100, batch 32", "CoOp K=100 step B=32", 4),
    ("CoCoOp step, K=19, batch 1", "CoCoOp K=19 step B=1", 4),
    ("MaPLe step, K=100, batch 4", "MaPLe K=100 step B=4", 5),
    ("MaPLe step, K=19, batch 4", "MaPLe K=19 step B=4", 5),
)
"""Rows of README: wide gains, and where they shrink with the processor."""


def differences(records: Sequence[Record], pair: Pair, rule: str, column: str) -> list[float]:
    """Method minus base trainer, seed by seed, each a mean over the datasets.

    Balanced data take the same steps under both rules; their runs stand under ``epochs``.
    """
    rule = "epochs" if pair.ratio == 1 else rule
    ours, base = (over_datasets(records, name, pair.ratio, rule) for name in (pair[0], pair[1]))
    return paired(ours, base, column)


def gains(records: Sequence[Record]) -> str:
    """Six rows: differences in H under both rules, and in base accuracy."""
    lines = [
        "| compared | tau | n | H, equal epochs | H, equal steps | base classes, equal steps |"
    ]
    lines.append("|---|---|---|---|---|---|")
    for pair in PAIRS:
        found = [
            differences(records, pair, rule, column)
            for rule, column in (("epochs", "H"), ("steps", "H"), ("steps", "base"))
        ]
        cells = [pair.label, f"{pair.ratio:g}", str(len(found[0])), *map(signed, found)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def demo() -> str:
    """The averages that the main job prints, a line a trainer."""
    with DEMO.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["dataset"].startswith("average")]
    lines = ["| trainer | base | new | H of averages | mean of H | many | medium | few |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for trainer in dict.fromkeys(row["trainer"] for row in rows):
        of_averages, of_h = (row for row in rows if row["trainer"] == trainer)
        cells = [_cell(of_averages, name) for name in ("base", "new", "H")]
        cells += [_cell(of_h, name) for name in ("H", "many", "medium", "few")]
        lines.append(f"| {trainer} | {' | '.join(cells)} |")
    of_averages = {
        row["trainer"]: row for row in rows[::-1] if row["dataset"] == rows[0]["dataset"]
    }
    said = [
        f"{_paired(of_averages, *pair)} at equal {rule}"
        for rule, pair in (
            ("epochs", ("NPT_CoOp", "CoOp")),
            ("steps", ("NPT_CoOp:steps=balanced", "CoOp:steps=balanced")),
        )
    ]
    lines += ["", f"NPT_CoOp − CoOp, H of averages, paired by seed: {', '.join(said)}."]
    return "\n".join(lines)


def _paired(rows: dict[str, dict[str, str]], ours: str, base: str) -> str:
    """``+3.9 [+3.2, +4.6] (10 seeds)``."""
    values = [
        dict(zip(row["seeds"].split(), map(float, row["H_values"].split()), strict=True))
        for row in (rows[ours], rows[base])
    ]
    found = [values[0][seed] - values[1][seed] for seed in values[0] if seed in values[1]]
    mean, ends = sum(found) / len(found), interval(found)
    return f"{mean:+.1f} [{ends[0]:+.1f}, {ends[1]:+.1f}] ({len(found)} seeds)"


def _cell(row: dict[str, str], name: str) -> str:
    spread = f" ± {float(row[f'{name}_sd']):.1f}" if row[f"{name}_sd"] else ""
    return f"{float(row[name]):.1f}{spread}"


def targets() -> str:
    """Every measured speed against what was wanted."""
    sys.path.insert(0, str(ROOT / "benchmarks" / "speed"))
    from targets import table, target_rows

    content = json.loads(SPEED.read_text(encoding="utf-8"))
    return table(target_rows(content["found"], content["about"]["other"]))


def speed() -> str:
    """Times faster than public code on three processors, a few rows."""
    sets = json.loads(INSTRUCTION_SETS.read_text(encoding="utf-8"))["found"]
    measured = [json.loads(SPEED.read_text(encoding="utf-8"))["found"], sets["own"], sets["avx2"]]
    lines = ["| | wanted | AVX-512, full width | EPYC (Zen 4), AVX-512 | the same, held to AVX2 |"]
    lines.append("|---|---|---|---|---|")
    for what, name, wanted in SHOWN_SPEED:
        ratios = [found.get(name, {}).get("ratio") for found in measured]
        cells = [_against(ratio, wanted) for ratio in ratios]
        lines.append(f"| {what} | {wanted} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _against(ratio: float | None, wanted: float) -> str:
    if ratio is None:
        return "-"
    return f"{ratio:.1f}{'' if ratio >= wanted else ' (missed)'}"


def blocks() -> dict[str, str]:
    """Every block by its name."""
    together, study = open_world.tables(read_csv(open_world.RUNS)), read_csv(RUNS)
    return {
        **{"demo": demo(), "gains": gains(study), "open_world": together},
        "findings": findings(study),
        **{"speed": speed(), "targets": targets()},
    }


def filled(text: str, made: dict[str, str]) -> str:
    """A page with its blocks as they are made now."""
    return BLOCK.sub(lambda found: f"{found[1]}\n{made[found[2]]}\n\n{found[3]}", text)


def main(words: Sequence[str]) -> int:
    """Write the blocks; with ``pictures`` the pictures too."""
    made = blocks()
    for page in PAGES:
        write_text(page, filled(page.read_text(encoding="utf-8"), made))
    if "pictures" in words:
        import front_pictures

        front_pictures.draw(read_csv(RUNS))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
