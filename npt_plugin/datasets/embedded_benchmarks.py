"""The embedded benchmarks, drawn to disk on first use and read like any other dataset."""

from __future__ import annotations

import os
from typing import Any

from npt_plugin.datasets.base import FewShotDataset
from npt_plugin.datasets.source import Source, classnames_of
from npt_plugin.datasets.split import read_split
from npt_plugin.embedded.benchmarks import BENCHMARKS, ensure_benchmarks

DEFAULT_ROOT = "data"  # under the working folder, when DATASET.ROOT is empty


class EmbeddedDataset(FewShotDataset):
    """A drawn benchmark: ``<root>/<folder>/split_zhou_<Name>.json`` and its images.

    With ``DATASET.ROOT`` empty the data live in ``./data``. An absent or half-built benchmark is
    built first.
    """

    def load(self, cfg: Any) -> Source:
        """List all images, under ``./data`` if the config names no root."""
        if not cfg.DATASET.ROOT:
            cfg = cfg.clone()
            cfg.defrost()
            cfg.DATASET.ROOT = DEFAULT_ROOT
            cfg.freeze()
        return super().load(cfg)

    def check_folder(self) -> None:
        """Build what is missing instead of complaining."""
        name = self.registry_name()
        ensure_benchmarks(self.root, [name])
        self.dataset_dir = os.path.join(self.root, BENCHMARKS[name].directory)

    def read(self) -> Source:
        """Splits and class names from the benchmark's own split file."""
        name = self.registry_name()
        train, val, test = read_split(os.path.join(self.dataset_dir, f"split_zhou_{name}.json"))
        names = classnames_of(name, train, val, test)
        return Source(name, os.path.join(self.dataset_dir, "images"), names, train, val, test)


class EmbeddedObjects(EmbeddedDataset):
    """Everyday objects."""


class EmbeddedShades(EmbeddedDataset):
    """Fine-grained shades of colour."""


class EmbeddedTextures(EmbeddedDataset):
    """Surface textures."""


class EmbeddedOverhead(EmbeddedDataset):
    """Land use seen from above."""


class EmbeddedSketches(EmbeddedDataset):
    """Pen sketches of the everyday objects."""


class EmbeddedPairs(EmbeddedDataset):
    """Pairs of a colour and an object."""


class EmbeddedPosters(EmbeddedDataset):
    """The everyday objects as an artist prints them."""


class EmbeddedWoodcuts(EmbeddedDataset):
    """Land use as an artist cuts it into wood."""
