"""Everything a trainer needs to read data: dataset, transforms and loaders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from tabulate import tabulate
from torch.utils.data import DataLoader, Dataset
from yacs.config import CfgNode

from minidassl.data.dataset_wrapper import DatasetWrapper
from minidassl.data.datasets import Datum, build_dataset
from minidassl.data.extension import extend_loading, loading_extension
from minidassl.data.samplers import build_sampler
from minidassl.data.transforms import build_transform
from minidassl.errors import DataError

__all__ = ["DataManager", "DatasetWrapper", "build_data_loader", "extend_loading"]


def build_data_loader(
    cfg: CfgNode,
    sampler_type: str = "SequentialSampler",
    data_source: Sequence[Datum] | None = None,
    batch_size: int = 64,
    n_domain: int = 0,
    n_ins: int = 2,
    tfm: Any = None,
    is_train: bool = True,
    dataset_wrapper: Callable[..., Dataset] | None = None,
) -> DataLoader:
    """Make a loader; a training loader drops the last, smaller batch unless it is the only one.

    Args:
        cfg: The config tree; reads ``DATALOADER.NUM_WORKERS`` and ``USE_CUDA``.
        sampler_type: See ``build_sampler``, or one of the loading extension.
        data_source: The samples.
        batch_size: Samples in a batch.
        n_domain: For RandomDomainSampler.
        n_ins: For RandomClassSampler.
        tfm: Transform or transforms of the images.
        is_train: Whether this is a training loader.
        dataset_wrapper: Used in place of ``DatasetWrapper``, called in the same way.

    Returns:
        A loader of dictionaries with ``img``, ``label``, ``domain``, ``impath``, ``index``.

    Raises:
        DataError: The loader would have no batch.
    """
    if not data_source:
        raise DataError("A data split is empty; check the dataset's files and split.")
    extension = loading_extension()
    sampler = extension.sampler(sampler_type, cfg, data_source) or build_sampler(
        sampler_type,
        cfg=cfg,
        data_source=data_source,
        batch_size=batch_size,
        n_domain=n_domain,
        n_ins=n_ins,
    )
    wrap = dataset_wrapper or extension.wrapper(DatasetWrapper)
    loader = DataLoader(
        wrap(cfg, data_source, transform=tfm, is_train=is_train),
        batch_size=batch_size,
        sampler=sampler,
        num_workers=extension.workers(cfg.DATALOADER.NUM_WORKERS),
        drop_last=is_train and len(data_source) >= batch_size,
        pin_memory=cfg.USE_CUDA and torch.cuda.is_available(),
    )
    if not len(loader):
        raise DataError(
            f"{sampler_type} makes no batch of {batch_size} out of {len(data_source)} samples; "
            "use a smaller DATALOADER.TRAIN_X.BATCH_SIZE."
        )
    return extension.loader(loader)


class DataManager:
    """Dataset, transforms and loaders of a run.

    Attributes: ``dataset``, ``train_loader_x``, ``train_loader_u`` (or None), ``val_loader`` (or
    None), ``test_loader``.

    Args:
        cfg: The config tree.
        custom_tfm_train: Training transform in place of the config's.
        custom_tfm_test: Test transform in place of the config's.
        dataset_wrapper: Class used in place of ``DatasetWrapper``.
    """

    def __init__(
        self,
        cfg: CfgNode,
        custom_tfm_train: Any = None,
        custom_tfm_test: Any = None,
        dataset_wrapper: Callable[..., Dataset] | None = None,
    ) -> None:
        self.dataset = build_dataset(cfg)
        loading_extension().check_dataset(cfg, self.dataset)
        self._cfg = cfg
        self._wrapper = dataset_wrapper
        self._num_source_domains = len(cfg.DATASET.SOURCE_DOMAINS)
        train = self._transform(custom_tfm_train, is_train=True)
        test = self._transform(custom_tfm_test, is_train=False)
        # This order matters: samplers may draw random numbers when built.
        unlabelled = cfg.DATALOADER.TRAIN_U
        self.train_loader_x = self._train_loader(
            self.dataset.train_x, cfg.DATALOADER.TRAIN_X, train
        )
        self.train_loader_u = None
        if self.dataset.train_u:
            node = cfg.DATALOADER.TRAIN_X if unlabelled.SAME_AS_X else unlabelled
            self.train_loader_u = self._train_loader(self.dataset.train_u, node, train)
        self.val_loader = self._test_loader(self.dataset.val, test) if self.dataset.val else None
        self.test_loader = self._test_loader(self.dataset.test, test)
        if cfg.VERBOSE:
            self.show_dataset_summary(cfg)

    def _transform(self, custom: Any, is_train: bool) -> Any:
        if custom is None:
            return build_transform(self._cfg, is_train=is_train)
        print(f"* Using custom transform for {'training' if is_train else 'testing'}")
        return custom

    def _train_loader(self, samples: list[Datum] | None, node: CfgNode, tfm: Any) -> DataLoader:
        return build_data_loader(
            self._cfg,
            sampler_type=node.SAMPLER,
            data_source=samples,
            batch_size=node.BATCH_SIZE,
            n_domain=node.N_DOMAIN,
            n_ins=node.N_INS,
            tfm=tfm,
            is_train=True,
            dataset_wrapper=self._wrapper,
        )

    def _test_loader(self, samples: list[Datum] | None, tfm: Any) -> DataLoader:
        node = self._cfg.DATALOADER.TEST
        return build_data_loader(
            self._cfg,
            sampler_type=node.SAMPLER,
            data_source=samples,
            batch_size=node.BATCH_SIZE,
            tfm=tfm,
            is_train=False,
            dataset_wrapper=self._wrapper,
        )

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return self.dataset.num_classes

    @property
    def num_source_domains(self) -> int:
        """Number of source domains in the config."""
        return self._num_source_domains

    @property
    def lab2cname(self) -> dict[int, str]:
        """Class name of each label."""
        return self.dataset.lab2cname

    def show_dataset_summary(self, cfg: CfgNode) -> None:
        """Print how many classes and samples there are.

        Args:
            cfg: The config tree.
        """
        rows: list[list[Any]] = [["Dataset", cfg.DATASET.NAME]]
        rows += [["Source", cfg.DATASET.SOURCE_DOMAINS]] if cfg.DATASET.SOURCE_DOMAINS else []
        rows += [["Target", cfg.DATASET.TARGET_DOMAINS]] if cfg.DATASET.TARGET_DOMAINS else []
        rows.append(["# classes", f"{self.num_classes:,}"])
        for name in ("train_x", "train_u", "val", "test"):
            samples = getattr(self.dataset, name)
            if samples or name in ("train_x", "test"):
                rows.append([f"# {name}", f"{len(samples):,}"])
        print(tabulate(rows, tablefmt="plain"))
