"""Image features that runs of one sweep share: of test batches, and of augmented training views.

What a feature's last bits depend on is in its key: the tower, the preprocessing, the images of its
batch in their order, the kernels, the processor and the number of threads. So a run in a sweep
computes with the same bits as a run by hand. ``TEST.FEATURE_STORE`` is coarser: it knows single
images, and keeps their features for later sweeps.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, SequentialSampler

from npt_plugin.runs.feature_store import image_key, tower_key
from npt_plugin.runs.versions import versions
from npt_plugin.system.processor import processor_name
from npt_plugin.system.progress import progress
from npt_plugin.system.random_state import rng_digest, rng_state, set_rng_state
from npt_plugin.system.shared import Shared

_PARTS = 4
"""Of a test batch, where it can be divided: so little is left for one process alone at the end."""


def circumstances(model: Any, dataset: Any, device: torch.device) -> str:
    """All that features depend on but the images and their batches.

    Args:
        model: A ``PromptedCLIP`` whose image side does not learn.
        dataset: What reads the images; its transform counts.
        device: Where features are computed.
    """
    transform = getattr(dataset, "transform", None)
    tower = tower_key(model.image_side, transform, model.feature_kind)
    cast = torch.is_autocast_enabled(device.type)
    machine = f"{processor_name()} {torch.get_num_threads()} threads {device.type} {cast}"
    return f"{tower} | {machine} | {sorted(versions().items())}"


def images_key(paths: Sequence[str]) -> str | None:
    """Files as they are now, in this order; None if one is not there."""
    try:
        return hashlib.sha256(b"".join(map(image_key, paths))).hexdigest()
    except OSError:
        return None  # whoever reads it says what is wrong


def shared_views(
    common: Shared, views: Any, make: Callable[[], dict[str, Tensor]]
) -> dict[str, Tensor]:
    """What ``make`` computes of the training images' views, or has computed in another run.

    Args:
        common: Where it is kept.
        views: A ``FeatureCacheLoader``: its loader augments, its model encodes.
        make: Encodes the views from the random state as it is.
    """
    loader, dataset = views.loader, views.loader.dataset
    images = images_key([item.impath for item in dataset.data_source])
    if images is None:
        return make()
    clock = getattr(dataset, "clock", None)  # augments by (seed, epoch, image)
    drawn = f"{rng_digest()} {clock.seed if clock else ''}"
    around = circumstances(views.model, dataset, views.device)
    return common.recall(
        f"{views.views} views {loader.batch_size} {images} {drawn} | {around}", make
    )


class SharedBatches:
    """A test loader's batches with ``features`` (B, D) instead of images.

    Processes that want the same batches at the same time divide them among themselves, by parts of
    a batch where the bits of features do not depend on which others are in it.

    Args:
        common: Where features are kept.
        loader: Dassl's test loader: in order, its dataset has a ``data_source``.
        model: A ``PromptedCLIP`` whose image side does not learn.
        device: Where features are computed.
    """

    def __init__(
        self, common: Shared, loader: DataLoader[Any], model: Any, device: torch.device
    ) -> None:
        self.common, self.loader, self.model, self.device = common, loader, model, device
        self.around = circumstances(model, loader.dataset, device)
        dataset: Any = loader.dataset
        self.items, size = dataset.data_source, loader.batch_size or 1
        self.batches = _cut(range(len(self.items)), size)
        at_once = model.at_once if device.type == "cpu" else 0
        step = max(size // _PARTS // at_once, 1) * at_once if at_once else size
        self.parts = [_cut(batch, step) for batch in self.batches]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        nothing: Any = []
        iter(DataLoader(nothing))  # draws what a loader draws when it is asked for its iterator
        return self._in_turn()

    def _in_turn(self) -> Iterator[dict[str, Any]]:
        state = rng_state()
        keys = {part: self._key(part) for parts in self.parts for part in parts}
        self._encode_missing(keys)
        set_rng_state(state)
        for batch, parts in zip(self.batches, self.parts, strict=True):
            some = [self.items[i] for i in batch]
            yield {
                "features": torch.cat([self._features(keys[part], part) for part in parts]),
                "label": torch.tensor([item.label for item in some]),
                "impath": [item.impath for item in some],
            }

    def _key(self, part: range) -> str | None:
        images = images_key([self.items[i].impath for i in part])
        return images and f"test {images} | {self.around}"

    def _features(self, key: str | None, part: range) -> Tensor:
        def make() -> dict[str, Tensor]:
            state = rng_state()
            (images,) = self._loader([part], 0)
            set_rng_state(state)
            return {"features": self._encode(images)}

        found = self.common.recall(key, make) if key else make()
        return found["features"]

    def _encode_missing(self, keys: Mapping[range, str | None]) -> None:
        """Features of the parts that are not there and that nobody else is computing."""
        begun: list[tuple[str, Callable[[], None]]] = []

        def claimed() -> Iterator[range]:
            for part, key in keys.items():
                if key and not self.common.has(key) and (end := self.common.claim(key)):
                    begun.append((key, end))
                    yield part

        try:
            workers = self.loader.num_workers
            for images in progress(self._loader(claimed(), workers), desc="encoding", leave=False):
                key, end = begun[0]
                if not self.common.has(key):
                    self.common.keep(key, {"features": self._encode(images)})
                begun.pop(0)
                end()
        finally:
            for _, end in begun:
                end()

    def _loader(self, batches: Any, workers: int) -> DataLoader[Any]:
        return DataLoader(
            self.loader.dataset,
            batch_sampler=batches,
            num_workers=workers,
            collate_fn=self.loader.collate_fn,
        )

    def _encode(self, batch: dict[str, Any]) -> Tensor:
        features: Tensor = self.model.image_features(batch["img"].to(self.device))
        return features.cpu()


def _cut(indices: range, size: int) -> list[range]:
    """Pieces of so many, the last one of what is left."""
    return [indices[i : i + size] for i in range(0, len(indices), size)]


def in_order(loader: Any) -> bool:
    """Whether a loader's batches are its images in their order, all of them."""
    known = isinstance(getattr(loader, "sampler", None), SequentialSampler)
    return known and not loader.drop_last and hasattr(loader.dataset, "data_source")
