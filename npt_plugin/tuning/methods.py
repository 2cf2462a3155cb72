"""``TRAINER.FINE_TUNE.METHOD``: every method by name, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from npt_plugin.tuning import inside, weights
from npt_plugin.tuning.places import Places


class Method(NamedTuple):
    """A way to tune a tower.

    Attributes:
        apply: ``apply(places, node, rank)`` lets learn what the method learns; ``node`` is
            ``TRAINER.FINE_TUNE``.
        own_weights: Whether CLIP's own weights learn; if not, modules beside them do.
        merges: Whether the tuned tower is CLIP with other weights.
        takes_rank: Whether it has a rank.
        needs_blocks: Whether the tower must be a transformer.
    """

    apply: Callable[[Places, Any, int], None]
    own_weights: bool = False
    merges: bool = True
    takes_rank: bool = False
    needs_blocks: bool = True


def _lora(places: Places, node: Any, rank: int) -> None:
    inside.put_lora(places, rank, node.LORA_ALPHA, inside.chosen_maps(node.LORA_MAPS))


def _adaptformer(places: Places, node: Any, rank: int) -> None:
    lift = node.ADAPTFORMER_FORM == "lift"
    inside.put_adaptformer(places, rank, lift, node.ADAPTFORMER_SCALE)


METHODS = {
    "full": Method(
        lambda places, *_: weights.tune_all(places), own_weights=True, needs_blocks=False
    ),
    "last_k": Method(
        lambda places, node, _: weights.tune_last(places, node.LAST_K), own_weights=True
    ),
    "bias": Method(
        lambda places, *_: weights.tune_biases(places), own_weights=True, needs_blocks=False
    ),
    "ln": Method(lambda places, *_: weights.tune_norms(places), own_weights=True),
    "lora": Method(_lora, takes_rank=True),
    "adapter": Method(
        lambda places, _, rank: inside.put_adapters(places, rank), merges=False, takes_rank=True
    ),
    "adaptformer": Method(_adaptformer, merges=False, takes_rank=True),
    "ssf": Method(lambda places, *_: inside.put_ssf(places)),
}
"""Values of ``TRAINER.FINE_TUNE.METHOD``."""

FORMS = ("published", "lift")
"""Values of ``TRAINER.FINE_TUNE.ADAPTFORMER_FORM``."""
