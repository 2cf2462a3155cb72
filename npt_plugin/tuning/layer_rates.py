"""A learning rate that falls from the last layer of a tower to its first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from torch import nn

from npt_plugin.tuning.places import Places


def layer_rates(
    learned: Iterable[nn.Parameter], towers: Sequence[Places], rate: float, decay: float
) -> list[dict[str, Any]]:
    """Parameter groups with the rate of each layer: rate x decay^(layers above it).

    A head, and what lies behind the last block, have the full rate; what lies before the first
    block of a tower of L blocks has rate x decay^(L + 1).

    Source: Clark et al., ELECTRA, ICLR 2020, arXiv:2003.10555, appendix A; with this numbering in
    BEiT, Bao et al. 2022, arXiv:2106.08254.

    Args:
        learned: What learns, in its order.
        towers: The tuned ones.
        rate: Of the last layer.
        decay: Rate of a layer over that of the next, in (0, 1].

    Returns:
        Groups for an optimiser, the highest rate first: it is the one that is logged.
    """
    above: dict[nn.Parameter, int] = {}
    for places in towers:
        last = len(places.blocks) + 1
        above |= {p: last - depth for p, depth in places.depths().items()}
    groups: defaultdict[int, list[nn.Parameter]] = defaultdict(list)
    for parameter in learned:
        groups[above.get(parameter, 0)].append(parameter)
    return [{"params": groups[n], "lr": rate * decay**n} for n in sorted(groups)]
