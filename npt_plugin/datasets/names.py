"""Dataset names: which readers there are, and which one a person means."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from pathlib import Path

from npt_plugin.errors import UserError, nearest_hint

PREFIX = "Imbalanced"
"""In front of a dataset's name: the same data under ``DATASET.IMBALANCE``."""

READERS = {
    "Caltech101": "caltech101",
    "DescribableTextures": "describable_textures",
    "EuroSAT": "eurosat",
    "FGVCAircraft": "fgvc_aircraft",
    "Food101": "food101",
    "ImageNet": "imagenet",
    "ImageNetA": "imagenet_a",
    "ImageNetR": "imagenet_r",
    "ImageNetSketch": "imagenet_sketch",
    "ImageNetV2": "imagenet_v2",
    "OxfordFlowers": "oxford_flowers",
    "OxfordPets": "oxford_pets",
    "StanfordCars": "stanford_cars",
    "SUN397": "sun397",
    "UCF101": "ucf101",
    "EmbeddedObjects": "embedded_benchmarks",
    "EmbeddedShades": "embedded_benchmarks",
    "EmbeddedTextures": "embedded_benchmarks",
    "EmbeddedOverhead": "embedded_benchmarks",
    "EmbeddedSketches": "embedded_benchmarks",
    "EmbeddedPairs": "embedded_benchmarks",
    "EmbeddedPosters": "embedded_benchmarks",
    "EmbeddedWoodcuts": "embedded_benchmarks",
    "CIFAR10LT": "cifar_lt",
    "CIFAR100LT": "cifar_lt",
    "ImageNetLT": "imagenet_lt",
    "PlacesLT": "places_lt",
    "INaturalist2018": "inaturalist",
    "ImageFolder": "image_folder",
    "List": "image_list",
}
"""Registry name to module; the class has the registry name."""

ALIASES = {"dtd": "DescribableTextures"}
"""Names the CoOp family uses that are not the registry name in another spelling."""


def reader(name: str) -> type:
    """The reader class of a registry name."""
    return getattr(importlib.import_module(f"npt_plugin.datasets.{READERS[name]}"), name)


def dataset_name(word: str, known: Iterable[str] = READERS) -> str:
    """The registry name a person means: ``oxford_pets``, ``oxfordpets`` and ``OxfordPets`` are one.

    Upper and lower case, underscores, hyphens and spaces do not count. ``Imbalanced`` in front is
    kept. Names of the CoOp family's yaml files (``dtd``) are known too.

    Args:
        word: What was typed.
        known: Registry names to choose from; by default our own readers.

    Returns:
        One of ``known``, or ``Imbalanced`` and one of ``known``.

    Raises:
        UserError: Nothing of that name; the nearest name is given.

    Example:
        >>> dataset_name("dtd"), dataset_name("imbalanced_oxford_pets")
        ('DescribableTextures', 'ImbalancedOxfordPets')
    """
    known = list(known)
    if word in known:
        return word
    spellings = {_plain(alias): name for alias, name in ALIASES.items() if name in known}
    spellings.update((_plain(name), name) for name in known)
    plain = _plain(word)
    if plain in spellings:
        return spellings[plain]
    base = plain.removeprefix(_plain(PREFIX))
    if base != plain and base in spellings:
        return PREFIX + spellings[base]
    hint = nearest_hint(base, {**dict.fromkeys(ALIASES), **dict.fromkeys(known)})
    raise UserError(f"Unknown dataset '{word}'{hint}; `npt list datasets` shows all names.")


def dataset_yaml(word: str, folder: Path) -> Path:
    """The yaml file of a dataset.

    Args:
        word: What was typed: a file name without ``.yaml``, or any spelling of a dataset's name.
        folder: A ``configs/datasets``.

    Raises:
        UserError: No such file; the nearest name is given.
    """
    files = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    if word in files:
        return files[word]
    by_name = {_plain(ALIASES.get(stem, stem)): path for stem, path in files.items()}
    plain = _plain(ALIASES.get(word.lower(), word))
    if plain in by_name:
        return by_name[plain]
    hint = nearest_hint(word, [*files, *READERS])
    raise UserError(f"'{folder}' has no file for the dataset '{word}'{hint}.")


def _plain(word: str) -> str:
    return re.sub(r"[\W_]+", "", word).lower()
