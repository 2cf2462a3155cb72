"""Words for the groups of datasets that tables are made of."""

from __future__ import annotations

from collections.abc import Iterable

from npt_plugin.sweep.protocols import VARIANTS

_SMALL = (
    *("caltech101", "oxford_pets", "stanford_cars", "oxford_flowers", "food101"),
    *("fgvc_aircraft", "sun397", "dtd", "eurosat", "ucf101"),
)

GROUPS = {
    "fewshot11": ("imagenet", *_SMALL),
    "fewshot10": _SMALL,
    "imagenet_variants": VARIANTS,
    "longtail": ("cifar100_lt", "imagenet_lt", "places_lt", "inaturalist2018"),
    "embedded": (
        *("embedded_objects", "embedded_shades", "embedded_textures", "embedded_overhead"),
    ),
}
"""Word to names of yaml files in ``configs/datasets``, in the order of the published tables.

``fewshot11`` is CoOp's eleven, ``fewshot10`` the same without ImageNet (what a cross-dataset table
tests on), ``embedded`` the four drawn ones of the first table.
"""


def with_groups(words: Iterable[str]) -> list[str]:
    """The datasets that are meant, each once.

    Example:
        >>> with_groups(["dtd", "imagenet_variants", "imagenet_a"])
        ['dtd', 'imagenetv2', 'imagenet_sketch', 'imagenet_a', 'imagenet_r']
    """
    named = (name for word in words for name in GROUPS.get(word, (word,)))
    return list(dict.fromkeys(named))
