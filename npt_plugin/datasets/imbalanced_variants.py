"""``Imbalanced<Name>``: class imbalance over any registered dataset, ours or a host's."""

from __future__ import annotations

import os
from typing import Any

from npt_plugin.datasets.base import ExplicitClasses, FewShotDataset
from npt_plugin.datasets.choice_record import choice_record
from npt_plugin.datasets.names import PREFIX
from npt_plugin.datasets.selection import SelectionSpec, select
from npt_plugin.datasets.source import Record, Source, check_source, classnames_of
from npt_plugin.engine.framework import DatasetBase


class ImbalancedOverHost(ExplicitClasses):
    """Class imbalance over a dataset class of the host project.

    The host's class is asked for all images of all classes; shots, class half and imbalance are
    then selected here. So its few-shot pickles are neither read nor written, and the class list
    covers every class, not only those left in train. Subclasses set ``host_class``.

    Args:
        cfg: yacs config of the run.
    """

    host_class: type[DatasetBase]

    def __init__(self, cfg: Any) -> None:
        spec = SelectionSpec.from_cfg(cfg)
        self.host = self.host_class(everything(cfg))
        root = os.path.abspath(os.path.expanduser(cfg.DATASET.ROOT))
        name = type(self).__name__.removeprefix(PREFIX)
        source = source_of(self.host, name, root)
        remarks = check_source(source, cfg.DATASET.get("ALLOW_EMPTY_CLASSES", False))
        selection = select(source, spec)
        self.record = choice_record(source, spec, selection)
        for line in [*remarks, *selection.remarks]:
            print(line)
        self.source_name = name
        super().__init__(selection, root)
        self._train_u = self.host.train_u


def everything(cfg: Any) -> Any:
    """A copy of the config that asks a dataset for all images of all classes."""
    cfg = cfg.clone()
    cfg.defrost()
    cfg.DATASET.NUM_SHOTS = -1
    if "SUBSAMPLE_CLASSES" in cfg.DATASET:
        cfg.DATASET.SUBSAMPLE_CLASSES = "all"
    if "IMBALANCE" in cfg.DATASET:
        cfg.DATASET.IMBALANCE.RATIO = 1.0
    cfg.freeze()
    return cfg


def source_of(dataset: DatasetBase, name: str, root: str) -> Source:
    """The images of a host's dataset as a :class:`Source`, paths relative to ``root``.

    Args:
        dataset: An instance holding all images of all classes.
        name: Name for messages and records.
        root: ``DATASET.ROOT``, absolute.
    """

    def records(items: Any) -> list[Record]:
        return [
            Record(os.path.relpath(i.impath, root), i.label, i.classname, i.domain)
            for i in items or []
        ]

    train, test = records(dataset.train_x), records(dataset.test)
    val_is_test = dataset.val is dataset.test
    val = test if val_is_test else records(dataset.val)
    return Source(
        name,
        root,
        classnames_of(name, train, val, test),
        train,
        val,
        test,
        val_is_test=val_is_test,
        test_only=dataset.train_x is dataset.test,
    )


def imbalanced_variant(dataset_class: type[DatasetBase]) -> type[DatasetBase]:
    """The class to register as ``Imbalanced<Name>``.

    Args:
        dataset_class: Any registered dataset class. Ours honour ``DATASET.IMBALANCE`` by
            themselves, so their variant only carries the name.
    """
    name = f"{PREFIX}{dataset_class.__name__}"
    doc = f"{dataset_class.__name__} under class imbalance (DATASET.IMBALANCE)."
    if issubclass(dataset_class, FewShotDataset):
        return type(name, (dataset_class,), {"__doc__": doc, "__module__": __name__})
    members = {"__doc__": doc, "__module__": __name__, "host_class": dataset_class}
    return type(name, (ImbalancedOverHost,), members)
