"""Base class of all readers: a reader lists a dataset, the base selects what a run trains on."""

from __future__ import annotations

import os
from typing import Any

from npt_plugin.datasets.choice_record import choice_record
from npt_plugin.datasets.selection import Selection, SelectionSpec, select
from npt_plugin.datasets.source import Record, Source, check_files, check_source
from npt_plugin.engine.framework import DatasetBase, Datum
from npt_plugin.errors import UserError


class ExplicitClasses(DatasetBase):
    """A Dassl dataset whose class list is given, not inferred from the training set.

    ``balanced_images``: how many training images there were before the imbalance took some away;
    ``every_classname``: names of all classes of the dataset, whatever half of them this run has.

    Upstream names classes from the labels left in train, so one absent class shifts the name of
    every later one. Here K, the names and the label-to-name map come from ``classnames``.

    Args:
        selection: Records of the run with their class names.
        image_root: Folder the record paths are relative to.
    """

    def __init__(self, selection: Selection, image_root: str) -> None:
        self._explicit = list(selection.classnames)
        self.all_classnames = self._explicit  # minidassl checks the splits against this list
        train = to_datums(selection.train, image_root)
        test = to_datums(selection.test, image_root)
        same = selection.val is selection.test
        val = test if same else to_datums(selection.val, image_root)
        super().__init__(train_x=train, val=val or None, test=test)
        self.balanced_images = selection.balanced
        self.every_classname = selection.every_classname or self._explicit

    @property
    def num_classes(self) -> int:
        """K, the number of class names."""
        return len(self._explicit)

    @property
    def classnames(self) -> list[str]:
        """The K class names in label order."""
        return self._explicit

    @property
    def lab2cname(self) -> dict[int, str]:
        """Label to class name, for all K labels."""
        return dict(enumerate(self._explicit))


def to_datums(records: list[Record], image_root: str) -> list[Datum]:
    """Dassl items with absolute paths."""
    return [
        Datum(
            impath=os.path.join(image_root, record.path),
            label=record.label,
            domain=record.domain,
            classname=record.classname,
        )
        for record in records
    ]


class FewShotDataset(ExplicitClasses):
    """Base class of a dataset reader; a subclass writes :meth:`read` and three class attributes.

    The config decides shots, seed, class half and imbalance (``DATASET.NUM_SHOTS``, ``SEED``,
    ``DATASET.SUBSAMPLE_CLASSES``, ``DATASET.IMBALANCE``). The attribute ``record`` holds the choice
    (see :mod:`~npt_plugin.datasets.choice_record`).

    Args:
        cfg: yacs config of the run.

    Raises:
        UserError: Absent data, broken split, missing images, values out of range.
    """

    dataset_dir = ""  # folder under DATASET.ROOT
    image_dir = ""  # folder of the images under dataset_dir
    required: tuple[str, ...] = ()  # in dataset_dir; without them nothing can be read

    def __init__(self, cfg: Any) -> None:
        source = self.load(cfg)
        spec = SelectionSpec.from_cfg(cfg)
        remarks = check_source(source, cfg.DATASET.get("ALLOW_EMPTY_CLASSES", False))
        self.source_name = source.name
        selection = self.choose(source, spec)
        self.record = choice_record(source, spec, selection)
        for line in [*remarks, *selection.remarks]:
            print(line)
        for part in (selection.train, selection.val, selection.test):
            check_files(source.name, source.image_root, part)
        super().__init__(selection, source.image_root)

    def load(self, cfg: Any) -> Source:
        """Find the data and list all of it, before anything is selected or checked."""
        self.cfg_dataset, self.seed = cfg.DATASET, cfg.SEED
        self.root = os.path.abspath(os.path.expanduser(cfg.DATASET.ROOT))
        self.dataset_dir = os.path.join(self.root, type(self).dataset_dir)
        self.image_root = os.path.join(self.dataset_dir, type(self).image_dir)
        self.check_folder()
        return self.read()

    @classmethod
    def registry_name(cls) -> str:
        """The registry name without ``Imbalanced`` in front."""
        return cls.__name__.removeprefix("Imbalanced")

    def choose(self, source: Source, spec: SelectionSpec) -> Selection:
        """Select what the run uses; a benchmark with a published subset overrides this."""
        return select(source, spec)

    def check_folder(self) -> None:
        """Check that the data are where the config says.

        Raises:
            UserError: With the folder that is missing and what to do.
        """
        name = self.registry_name()
        remedy = (
            f"put the data under DATASET.ROOT ('{self.root}') as docs/datasets.md shows, or run "
            f"`npt data download {name} --root '{self.root}'`"
            if type(self).dataset_dir
            else "set DATASET.ROOT to the folder of your data"
        )
        for wanted in (
            self.dataset_dir,
            *(os.path.join(self.dataset_dir, r) for r in self.required),
        ):
            if not os.path.exists(wanted):
                raise UserError(f"{name}: '{wanted}' does not exist; {remedy}.")

    def read(self) -> Source:
        """List all images of the dataset, with an explicit list of classes."""
        raise NotImplementedError
