"""The hand-written prompt published with each dataset (zero-shot CLIP in the CoOp family)."""

from __future__ import annotations

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


def template_for(dataset_name: str) -> str:
    """Prompt template with one ``{}`` for the class name.

    Args:
        dataset_name: Registry name, with or without ``Imbalanced`` in front. The embedded
            benchmarks bring their own; names nobody published a prompt for get
            ``a photo of a {}.``.
    """
    name = dataset_name.removeprefix("Imbalanced")
    if name in BENCHMARKS:
        return BENCHMARKS[name].template
    return TEMPLATES.get(name, GENERIC)
