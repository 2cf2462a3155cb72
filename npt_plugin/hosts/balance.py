"""How strong NPT's terms are beside a host's own loss, measured once where they meet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from npt_plugin.losses.objective import WEIGHT_KEYS


@dataclass
class Balance:
    """Squared gradient norms of one step, per tower: the host's loss and NPT's terms.

    Both are taken at the same features, before either goes on into the prompts.

    Attributes:
        host: Tower to its squared norm, of the loss.
        terms: Tower to its squared norm, of the terms as weighted and ramped.
    """

    host: dict[str, float] = field(default_factory=dict)
    terms: dict[str, float] = field(default_factory=dict)

    def add(self, tower: str, host: Tensor, terms: Tensor) -> None:
        """Count the gradients at one encoder call, both scaled alike (GradScaler)."""
        for norms, gradient in ((self.host, host), (self.terms, terms)):
            squared = gradient.detach().double().square().sum()
            norms[tower] = norms.get(tower, 0.0) + float(squared)

    def ratios(self) -> dict[str, float] | None:
        """Norm of the terms over that of the loss, per tower and for ``both`` together.

        None where one of the two is 0 or not finite, as in a step that GradScaler leaves out.
        """
        sums = (
            {**self.host, "both": sum(self.host.values())},
            {**self.terms, "both": sum(self.terms.values())},
        )
        if not all(math.isfinite(s["both"]) and s["both"] > 0 for s in sums):
            return None
        host, terms = sums
        return {t: math.sqrt(terms[t] / host[t]) if host[t] else math.inf for t in host}

    def line(self, weights: Mapping[str, float], ramp: float) -> str | None:
        """What to log, with the weights that would make both equally strong; None: no ratio.

        Args:
            weights: Term to its full weight.
            ramp: What the warm-up multiplied them by in this step.
        """
        found = self.ratios()
        if found is None:
            return None
        full = {tower: ratio / ramp for tower, ratio in found.items()}
        total = full.pop("both")
        parts = "".join(f", {tower} {full[tower]:.3g}" for tower in sorted(full))
        equal = " ".join(f"{WEIGHT_KEYS[n]} {w / total:.3g}" for n, w in weights.items())
        return (
            f"NPT: in the first step the terms' gradient at the features is {total:.3g} times the "
            f"loss's{parts if len(full) > 1 else ''}; equally strong with {equal}"
        )
