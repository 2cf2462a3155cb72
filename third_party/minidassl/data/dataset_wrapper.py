"""Turn samples into tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from PIL import Image
from torch.utils.data import Dataset
from yacs.config import CfgNode

from minidassl.data.datasets.datum import Datum
from minidassl.data.transforms import plain_transform
from minidassl.utils import read_image

Transform = Callable[[Image.Image], Any]


class DatasetWrapper(Dataset):
    """Read, transform and label the image of each sample.

    Args:
        cfg: The config tree; reads ``DATALOADER.K_TRANSFORMS`` and ``DATALOADER.RETURN_IMG0``.
        data_source: The samples.
        transform: One transform, several (their outputs are ``img``, ``img2``, ``img3``, ...), or
            None for the bare image.
        is_train: Whether ``K_TRANSFORMS`` applies.

    Raises:
        ValueError: Several views are asked for without a transform.
    """

    def __init__(
        self,
        cfg: CfgNode,
        data_source: Sequence[Datum],
        transform: Transform | Sequence[Transform] | None = None,
        is_train: bool = False,
    ) -> None:
        loading = cfg.DATALOADER
        self.cfg, self.data_source = cfg, data_source
        self.transform, self.is_train = transform, is_train
        self.k_tfm: int = loading.K_TRANSFORMS if is_train else 1
        self.return_img0: bool = loading.RETURN_IMG0
        if transform is None and self.k_tfm > 1:
            raise ValueError(
                f"DATALOADER.K_TRANSFORMS is {self.k_tfm}, but there is no transform to repeat."
            )

    @cached_property
    def to_tensor(self) -> Transform:
        """Resize to the input size and make a tensor, without augmentation."""
        return plain_transform(self.cfg)

    def __len__(self) -> int:
        return len(self.data_source)

    def __getitem__(self, idx: int) -> dict[str, Any]:
        item = self.data_source[idx]
        image = read_image(item.impath)
        output = {name: getattr(item, name) for name in ("label", "domain", "impath")}
        output.update(index=idx, **self._images(image))
        if self.return_img0:
            output["img0"] = self.to_tensor(image)
        return output

    def _images(self, image: Image.Image) -> dict[str, Any]:
        """Return the image under ``img``, or each transform's under ``img``, ``img2``, ..."""
        if self.transform is None:
            return {"img": image}
        several = isinstance(self.transform, (list, tuple))
        transforms = self.transform if several else [self.transform]
        names = ["img", *(f"img{number}" for number in range(2, len(transforms) + 1))]
        return {name: self._views(t, image) for name, t in zip(names, transforms, strict=True)}

    def _views(self, transform: Transform, image: Image.Image) -> Any:
        """Return one transformed view, or a list of ``k_tfm``."""
        views = [transform(image) for _ in range(self.k_tfm)]
        return views if self.k_tfm > 1 else views[0]
