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
        cfg: the config tree; reads ``DATALOADER.K_TRANSFORMS`` and ``DATALOADER.RETURN_IMG0``.
        data_source: the samples.
        transform: one transform, several (their outputs are ``img``, ``img2``, ``img3``, ...), or
            None for the bare image.
        is_train: whether ``K_TRANSFORMS`` applies.

    Raises:
        ValueError: several views are asked for without a transform.
    """

    def __init__(
        self,
        cfg: CfgNode,
        data_source: Sequence[Datum],
        transform: Transform | Sequence[Transform] | None = None,
        is_train: bool = False,
    ) -> None:
        self.cfg = cfg
        self.data_source = data_source
        self.transform = transform
        self.is_train = is_train
        self.k_tfm = cfg.DATALOADER.K_TRANSFORMS if is_train else 1
        self.return_img0 = cfg.DATALOADER.RETURN_IMG0
        if self.k_tfm > 1 and transform is None:
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
        output: dict[str, Any] = {
            "label": item.label,
            "domain": item.domain,
            "impath": item.impath,
            "index": idx,
        }
        if self.transform is None:
            output["img"] = image
        elif isinstance(self.transform, (list, tuple)):
            for number, transform in enumerate(self.transform, start=1):
                output["img" if number == 1 else f"img{number}"] = self._views(transform, image)
        else:
            output["img"] = self._views(self.transform, image)
        if self.return_img0:
            output["img0"] = self.to_tensor(image)
        return output

    def _views(self, transform: Transform, image: Image.Image) -> Any:
        """Return one transformed view, or a list of ``k_tfm``."""
        views = [transform(image) for _ in range(self.k_tfm)]
        return views if self.k_tfm > 1 else views[0]
