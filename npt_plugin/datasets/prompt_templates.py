"""The hand-written prompt published with each dataset (zero-shot CLIP in the CoOp family)."""

from __future__ import annotations

from collections.abc import Mapping

from npt_plugin.embedded.specs import BENCHMARKS

GENERIC = "a photo of a {}."

TEMPLATES = {
    "Caltech101": GENERIC,
    "DescribableTextures": "{} texture.",
    "EuroSAT": "a centered satellite photo of {}.",
    "FGVCAircraft": "a photo of a {}, a type of aircraft.",
    "Food101": "a photo of {}, a type of food.",
    "ImageNet": GENERIC,
    "ImageNetA": GENERIC,
    "ImageNetR": GENERIC,
    "ImageNetSketch": GENERIC,
    "ImageNetV2": GENERIC,
    "OxfordFlowers": "a photo of a {}, a type of flower.",
    "OxfordPets": "a photo of a {}, a type of pet.",
    "StanfordCars": GENERIC,
    "SUN397": GENERIC,
    "UCF101": "a photo of a person doing {}.",
}

KGCOOP = {"DescribableTextures": "a photo of a {}, a type of texture."}
"""Where KgCoOp's released code has another."""

PROGRAD = {
    "DescribableTextures": "a texture of {}.",
    "FGVCAircraft": "a type of aircraft, a photo of a {}.",
    "Food101": "a type of food, a photo of {}.",
    "OxfordFlowers": "a type of flower, a photo of a {}.",
    "OxfordPets": "a type of pet, a photo of a {}.",
}
"""Where ProGrad's released code has another."""


def template_for(dataset_name: str, method: Mapping[str, str] | None = None) -> str:
    """Prompt template with one ``{}`` for the class name.

    Args:
        dataset_name: Registry name, with or without ``Imbalanced`` in front. The embedded
            benchmarks bring their own; names nobody published a prompt for get
            ``a photo of a {}.``.
        method: By dataset, where a method's released code has another template.
    """
    name = dataset_name.removeprefix("Imbalanced")
    if name in BENCHMARKS:
        return BENCHMARKS[name].template
    return {**TEMPLATES, **(method or {})}.get(name, GENERIC)
