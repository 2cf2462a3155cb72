"""What a comparison comes to, in one word and a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from npt_plugin.reproduction.comparing import ABOVE, BELOW, INSIDE, MISSING, Compared, Comparison
from npt_plugin.runs.units import ZERO_SHOT

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
PARTLY_INSIDE, PARTLY_OUTSIDE = "partial, inside so far", "partial, outside so far"
NO_PRESET, NOTHING = "not the preset", "nothing to judge"

_SHOWN = 5


@dataclass(frozen=True)
class Verdict:
    """The verdict.

    Attributes:
        word: One of the six above.
        text: A sentence, without the word.
    """

    word: str
    text: str

    def __str__(self) -> str:
        return f"{self.word}: {self.text}"

    @property
    def good(self) -> bool:
        """Whether nothing speaks against the table."""
        return self.word in (REPRODUCED, PARTLY_INSIDE)


def verdict_of(comparison: Comparison) -> Verdict:
    """The verdict by the table's tolerances.

    Every average must be inside its tolerance, and of the figures of single datasets at most the
    table's share outside theirs. Runs that are not the preset are never judged.
    """
    if comparison.drifts:
        return Verdict(NO_PRESET, "; ".join(comparison.drifts))
    known = [one for one in comparison.figures if one.verdict != MISSING]
    if not known:
        return Verdict(NOTHING, "no run that a published figure can be compared with is complete")
    single = [one for one in known if not one.figure.average]
    allowed = int(comparison.table.outside * len(single))
    outside = [one for one in single if one.verdict != INSIDE]
    averages = [one for one in known if one.figure.average and one.verdict != INSIDE]
    good = not averages and len(outside) <= allowed
    parts = [f"{len(known) - len(outside) - len(averages)} of {len(known)} figures inside"]
    if single:
        parts.append(f"{allowed} of {len(single)} single ones may be outside, {_sides(outside)}")
    if averages:
        parts.append(f"averages outside: {', '.join(_named(one) for one in averages)}")
    short = lacking(comparison)
    words = (PARTLY_INSIDE, PARTLY_OUTSIDE) if short else (REPRODUCED, NOT_REPRODUCED)
    return Verdict(words[not good], "; ".join([*parts, *short]))


def lacking(comparison: Comparison) -> list[str]:
    """What a full verdict still needs, in words; empty if nothing."""
    found, table = [], comparison.table
    gone = [one for one in comparison.figures if one.verdict == MISSING]
    if gone:
        found.append(f"{len(gone)} of {len(comparison.figures)} figures have no number of ours yet")
    if comparison.missing:
        runs = [f"{name} seed {_list(seeds)}" for name, seeds in comparison.missing.items()]
        rest = f" and {len(runs) - _SHOWN} more" if len(runs) > _SHOWN else ""
        found.append(f"runs missing: {', '.join(runs[:_SHOWN])}{rest}")
    few = [
        one
        for one in comparison.figures
        if one.verdict != MISSING and one.n < len(table.seeds) and one.figure.trainer != ZERO_SHOT
    ]
    if few:
        least = min(one.n for one in few)
        found.append(f"{len(few)} figures are of fewer than {len(table.seeds)} seeds ({least})")
    return found


def _sides(outside: Sequence[Compared]) -> str:
    if not outside:
        return "none is"
    signs = [one.verdict for one in outside]
    said = [f"{signs.count(side)} {side}" for side in (BELOW, ABOVE) if side in signs]
    return f"{' and '.join(said)} the published are"


def _named(one: Compared) -> str:
    figure = one.figure
    tau = "" if figure.tau == 1 else f" tau {figure.tau:g}"
    return f"{figure.trainer}{tau} {figure.column} {one.difference:+.2f} (± {one.tolerance:.2f})"


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))
