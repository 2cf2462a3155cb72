"""What the study says, in words, every number of it taken from the committed runs.

``front_page.py`` puts it into docs/findings.md. The words are written by hand: whoever adds runs
reads them again.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Any

from evidence_tables import correlation, over_datasets, paired, signed
from plan import ARTISTS, DATASETS, rules
from study_records import Record

STRONG = 0.06
COOP, MAPLE, COCOOP = (f"NPT_{base} (v3)" for base in ("CoOp", "MaPLe", "CoCoOp"))
SOFTMAX = "CoOp + balanced softmax"
WIDTH = 120
UNBROKEN, HARD = re.compile(r"\[[-+][\d., +-]+\]|n = \d+"), "\0"


class Words:
    """Differences of methods as they are written in a sentence.

    Args:
        records: All runs of the study.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records

    def less(
        self,
        ours: str,
        base: str,
        ratio: float = STRONG,
        column: str = "H",
        datasets: Sequence[str] = DATASETS,
    ) -> list[str]:
        """Ours less another method, with intervals: at equal epochs and, if that differs, steps."""
        return [signed(self._seeds(ours, base, ratio, r, column, datasets)) for r in rules(ratio)]

    def both(self, *pair: Any, **more: Any) -> str:
        """What ``less`` gives of the same, joined."""
        return " and ".join(self.less(*pair, **more))

    def n(self, ours: str, base: str, ratio: float = STRONG) -> str:
        """``n = 20``: the fewest seeds that both have, of the two rules."""
        seeds = (self._seeds(ours, base, ratio, rule, "H", DATASETS) for rule in rules(ratio))
        return f"n = {min(map(len, seeds))}"

    def follows(self, x: str, y: str, without: str = "") -> str:
        """Pearson's coefficient over all runs, within a dataset, with its interval.

        Args:
            x, y: Columns.
            without: A method whose runs are left out.
        """
        some = [record for record in self.records if record["method"] != without]
        value, low, high = correlation(some, x, y)["pearson"]
        return f"{value:+.2f} [{low:+.2f}, {high:+.2f}]"

    def _seeds(
        self, ours: str, base: str, ratio: float, rule: str, column: str, datasets: Sequence[str]
    ) -> list[float]:
        found = (over_datasets(self.records, name, ratio, rule, datasets) for name in (ours, base))
        return paired(*found, column)


def findings(records: Sequence[Record]) -> str:
    """The bullets of docs/findings.md."""
    say = Words(records)
    parts = (_npt, _elsewhere, _promptsrc, _further, _neighbours, _controls, _parts, _collapse)
    return "\n".join(_bullet(text) for part in parts for text in part(say))


def _bullet(text: str) -> str:
    """Wrapped, but for an interval and a number of seeds, which stay on one line."""
    whole = UNBROKEN.sub(lambda found: found[0].replace(" ", HARD), " ".join(text.split()))
    lines = textwrap.wrap(whole, WIDTH - 2, break_long_words=False, break_on_hyphens=False)
    return "- " + "\n  ".join(lines).replace(HARD, " ")


def _npt(say: Words) -> list[str]:
    pair, before = (COOP, "CoOp"), (COOP, "NPT_CoOp, every class alike")
    epochs, steps = say.less(*pair)
    return [
        f"""**NPT_CoOp over CoOp: {epochs} H at equal epochs, {steps} at equal steps**, tau 0.06,
        {say.n(*pair)}. Base classes {say.both(*pair, column="base")}, new ones
        {say.both(*pair, column="new")}, classes with few images {say.both(*pair, column="few")}.
        The published gain is 2.5 H, on other data.""",
        f"""**At tau 0.25 {say.both(*pair, 0.25)}, on balanced data {say.both(*pair, 1.0)}**
        ({say.n(*pair, 0.25)}). Base classes pay for it:
        {say.both(*pair, 0.25, "base")} at tau 0.25, {say.both(*pair, 1.0, "base")} on balanced
        data.""",
        f"""**What counting by images changed** (new default less the former one, by seed): tau 0.06
        {say.both(*before)} H, tau 0.25 {say.both(*before, 0.25)}, balanced
        {say.both(*before, 1.0)}, base classes there {say.both(*before, 1.0, "base")}.""",
    ]


def _elsewhere(say: Words) -> list[str]:
    def of(ours: str, base: str, more: str) -> str:
        strong, *rest = (f"{say.both(ours, base, r)} ({say.n(ours, base, r)})" for r in RATIOS)
        mild, extreme, balanced = rest
        return f"""**NPT_{base} over {base}: {strong}**{more}; at tau 0.25 {mild}, on balanced data
        {balanced}; at tau 0.01 {extreme}."""

    return [of(MAPLE, "MaPLe", ", new classes most"), of(COCOOP, "CoCoOp", "")]


RATIOS = (STRONG, 0.25, 0.01, 1.0)


def _promptsrc(say: Words) -> list[str]:
    over, ours = ("PromptSRC", "MaPLe"), ("NPT_PromptSRC", "PromptSRC")
    published = ("PromptSRC, published weights", "MaPLe")
    return [
        f"""**PromptSRC, on MaPLe's terms** (both towers learn, near zero-shot CLIP;
        {say.n(*over)}): at a tenth of its published weights, which tuning chose
        (`TRAINER.PROMPTSRC.TEXT_LOSS_WEIGHT 2.5`, `.IMAGE_LOSS_WEIGHT 1.0`), {say.both(*over)} over
        MaPLe; as published {say.both(*published)} ({say.n(*published)}). **NPT_PromptSRC** (with
        `TRAINER.NPT.PRIOR_COUNT 4`, both weights 3, chosen likewise) **less PromptSRC:
        {say.both(*ours)}** ({say.n(*ours)}); at tau 0.25 {say.both(*ours, 0.25)}
        ({say.n(*ours, 0.25)}), on balanced data {say.both(*ours, 1.0)} ({say.n(*ours, 1.0)}), at
        tau 0.01 {say.both(*ours, 0.01)} ({say.n(*ours, 0.01)}). At tau 0.06 it has the highest H
        under both rules of all methods here that do not know the new names. NPT_MaPLe less
        PromptSRC: {say.both(MAPLE, "PromptSRC")}."""
    ]


def _further(say: Words) -> list[str]:
    pair, artists = (COOP, "CoOp"), {"datasets": ARTISTS}
    return [
        f"""**At tau 0.01** ({say.n(*pair, 0.01)}) NPT_CoOp has {say.both(*pair, 0.01)} H over CoOp
        at equal epochs and steps, where balanced softmax alone has
        {say.both(SOFTMAX, "CoOp", 0.01)}.""",
        f"""**On another kind of shift**, two datasets in the hand of artists that were drawn after
        all choices but `PRIOR_COUNT` had been made (n = 3): {say.both(*pair, **artists)}; KgCoOp
        {say.both("KgCoOp", "CoOp", **artists)}.""",
    ]


def _neighbours(say: Words) -> list[str]:
    near, prograd = (COOP, "KgCoOp"), (COOP, "ProGrad")
    return [
        f"""**Beside methods that stay near zero-shot CLIP, tuned as NPT was** (tau 0.06,
        {say.n(*near)}): over KgCoOp NPT_CoOp has {say.both(*near)} H at equal epochs and steps,
        over ProGrad {say.both(*prograd)}. Over CoOp KgCoOp gains {say.both("KgCoOp", "CoOp")}. At
        milder imbalance ({say.n(*near, 0.25)}) NPT_CoOp less KgCoOp is {say.both(*near, 0.25)} at
        tau 0.25, {say.both(*near, 1.0)} on balanced data; less ProGrad {say.both(*prograd, 0.25)},
        and {say.both(*prograd, 1.0)}; at tau 0.01 less KgCoOp {say.both(*near, 0.01)}, less ProGrad
        {say.both(*prograd, 0.01)} ([all](evidence.md)). [Is it the geometry?](geometry.md)"""
    ]


def _controls(say: Words) -> list[str]:
    stopped, half = "CoOp, stopped on validation", "CoOp, half zero-shot at test"
    candle = ("Candle", "CoOp")
    return [
        f"""**Beside plain controls** ({say.n(stopped, "CoOp")}): CoOp stopped on validation images
        gains {say.both(stopped, "CoOp")}, half zero-shot features at test
        {say.both(half, "CoOp")}; on balanced data ({say.n(half, "CoOp", 1.0)})
        {say.both(stopped, "CoOp", 1.0)} and {say.both(half, "CoOp", 1.0)}.""",
        f"""**Candle gains more than all of these**, {say.both(*candle)} over CoOp
        ({say.n(*candle)}), at tau 0.25 {say.both(*candle, 0.25)}, on balanced data
        {say.both(*candle, 1.0)} ({say.n(*candle, 1.0)}). It knows the names of the new classes
        while it trains, which the others do not; its learning rate was tuned with one seed.""",
        f"""Balanced softmax alone gains {say.both(SOFTMAX, "CoOp")} at equal epochs and steps; on
        top of NPT it gives {say.both(f"NPT_{SOFTMAX}", "CoOp")} over CoOp, the best of NPT on CoOp
        there.""",
    ]


def _parts(say: Words) -> list[str]:
    plain = say.less("NPT_CoOp, plain ETF forms", "CoOp")
    return [
        f"""What works is the pull to running class means together with the anchored ETF. The plain
        reading of the abstract (a free ETF for text and images, weight 1) gains nothing,
        {plain[0]} at equal epochs, and costs at equal steps, {plain[1]}; v2 gains at equal epochs
        and, under CoOp and CoCoOp, loses at equal steps; CPT at its published weights loses 2 to 7;
        GNM changes nothing measurable under CoOp."""
    ]


def _collapse(say: Words) -> list[str]:
    closeness, matched = "etf_distance_text_to_image", "nc3_cosine"
    four = [f"{half}_{metric}" for half in ("new", "base") for metric in (matched, closeness)]
    new_cosine, new_distance, base_cosine, base_distance = (say.follows(x, "new") for x in four)
    *first, last = (say.follows(x, "new", without="Candle") for x in four)
    return [
        f"""The second claim, that neural-collapse optimality of text-to-image features goes with
        generalisation, holds on the classes it is measured on. Over all runs, within a dataset,
        new-class accuracy follows the matched cosine of text and image means of new classes
        (Pearson {new_cosine}) and, with a smaller distance, their closeness to an ETF
        ({new_distance}). Collapse of the **base** classes says less of **new** ones: {base_cosine}
        for the cosine, and nothing by the distance, {base_distance}. Candle, which knows the new
        names, makes part of this: without its runs the four are {", ".join(first)} and {last}, the
        last of the wrong sign."""
    ]
