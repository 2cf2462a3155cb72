"""CIFAR10-LT and CIFAR100-LT."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from npt_plugin.datasets.base import FewShotDataset
from npt_plugin.datasets.cifar_binary import CIFAR10, CIFAR100, CifarFiles, unpack
from npt_plugin.datasets.cifar_subset import longtail_sizes, public_subset
from npt_plugin.datasets.class_halves import keep_classes, labels_of
from npt_plugin.datasets.selection import Selection, SelectionSpec, select
from npt_plugin.datasets.source import Source, classnames_of
from npt_plugin.datasets.split import read_split
from npt_plugin.errors import UserError


class CifarLongTail(FewShotDataset):
    """CIFAR with ``DATASET.IMBALANCE.RATIO`` = 1 / IR and the public seed-0 subset.

    Without shots (``NUM_SHOTS -1``) the training set is the subset all papers use, whatever
    the run's seed. With shots, the general few-shot and imbalance rules apply. The binary archive
    is unpacked to PNG on first use.
    """

    image_dir = "images"
    files: CifarFiles

    def read(self) -> Source:
        """All images, unpacked first if need be."""
        name = self.registry_name()
        split = os.path.join(self.dataset_dir, f"split_{name}.json")
        if not os.path.exists(split):
            unpack(Path(self.dataset_dir), self.files, os.path.basename(split))
        train, val, test = read_split(split)
        names = classnames_of(name, train, test)
        return Source(name, self.image_root, names, train, val, test)

    def choose(self, source: Source, spec: SelectionSpec) -> Selection:
        """The public subset for full training sets, the general rule for shots."""
        if spec.shots >= 1:
            return select(source, spec)
        if spec.imbalance.order != "index":
            raise UserError(
                f"{source.name}: DATASET.IMBALANCE.ORDER is '{spec.imbalance.order}', but the "
                "public subset is ordered by index; set index, or use shots."
            )
        train = source.train
        if spec.imbalance.ratio != 1:
            n_max = max(Counter(record.label for record in train).values())
            sizes = longtail_sizes(
                len(source.classnames), n_max, spec.imbalance.ratio, spec.imbalance.profile
            )
            train = public_subset(train, sizes)
        labels = labels_of(spec.subset, len(source.classnames))
        return Selection(
            keep_classes(train, labels),
            [],
            keep_classes(source.test, labels),
            [source.classnames[label] for label in labels],
            balanced=len(keep_classes(source.train, labels)),
        )


class CIFAR10LT(CifarLongTail):
    """``cifar-10/cifar-10-batches-bin``: 10 classes, n_max 5,000."""

    dataset_dir = "cifar-10"
    files = CIFAR10


class CIFAR100LT(CifarLongTail):
    """``cifar-100/cifar-100-binary``: 100 classes, n_max 500."""

    dataset_dir = "cifar-100"
    files = CIFAR100
