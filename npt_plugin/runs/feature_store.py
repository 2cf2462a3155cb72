"""Image features on disk: an image that a frozen tower has seen once is never decoded again.

``TEST.FEATURE_STORE`` names the folder. It has one folder for each tower (its weights, precision,
preprocessing and library versions), with shards of features in it. An image is known by its path,
size and modification time, so a replaced file is seen anew. A shard is written whole under the
SHA-256 of its content: runs that write at the same time cannot disturb each other, and a damaged
shard is recognised, removed and computed again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from npt_plugin.system.files import write_atomically
from npt_plugin.system.progress import progress

_LIBRARIES = ("torch", "torchvision", "pillow")
_SUFFIX = ".safetensors"


def tower_key(tower: nn.Module, transform: Any, kind: str = "") -> str:
    """16 hex digits over everything a feature depends on but the image file.

    Args:
        tower: The frozen image tower: names, shapes, dtypes and bytes of its tensors count.
        transform: Test transform; its ``repr`` counts.
        kind: Which of the tower's features is kept; "": CLIP's own, unit norm.
    """
    digest = hashlib.sha256(repr(transform).encode())
    digest.update(kind.encode())
    for library in _LIBRARIES:
        digest.update(f"{library} {metadata.version(library)}\n".encode())
    for name, tensor in sorted(tower.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def image_key(path: str) -> bytes:
    """32 bytes for a file as it is now: absolute path, size, modification time.

    Raises:
        OSError: If there is no such file.
    """
    stat = os.stat(path)
    text = f"{os.path.abspath(path)}|{stat.st_size}|{stat.st_mtime_ns}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


class FeatureStore:
    """Features of one tower in a folder.

    Args:
        folder: Where its shards are; made when the first is written.
    """

    def __init__(self, folder: str | Path) -> None:
        """Take the folder and read nothing yet."""
        self.folder = Path(folder)

    def load(self) -> dict[bytes, Tensor]:
        """Features (D,) of every image in the undamaged shards, by ``image_key``."""
        known: dict[bytes, Tensor] = {}
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            shard = _read(path)
            if shard is not None:
                keys = shard["keys"].numpy()
                known.update(zip((key.tobytes() for key in keys), shard["features"], strict=True))
        return known

    def add(self, keys: list[bytes], features: Tensor) -> None:
        """Write one shard.

        Args:
            keys: N of ``image_key``.
            features: (N, D).

        Raises:
            UserError: If the folder cannot be written.
        """
        table = torch.frombuffer(bytearray(b"".join(keys)), dtype=torch.uint8).view(len(keys), 32)
        content = safetensors.torch.save({"keys": table, "features": features.contiguous()})
        path = self.folder / f"{hashlib.sha256(content).hexdigest()}{_SUFFIX}"
        write_atomically(path, lambda file: file.write(content))


def _read(path: Path) -> dict[str, Tensor] | None:
    """A shard, or None after removing it where its content is not what its name says."""
    try:
        content = path.read_bytes()
    except OSError:
        return None  # another run has just removed it
    if hashlib.sha256(content).hexdigest() == path.name.removesuffix(_SUFFIX):
        try:
            return safetensors.torch.load(content)
        except SafetensorError:
            pass
    print(f"Damaged feature cache {path} is removed and computed again")
    path.unlink(missing_ok=True)
    return None


class StoredFeatures:
    """A test loader's batches with ``features`` (B, D) instead of images.

    Args:
        loader: Dassl's test loader: in order, its dataset has a ``data_source``.
        model: A ``PromptedCLIP`` whose image side does not learn.
        folder: ``TEST.FEATURE_STORE``.
        device: Where features are computed.
    """

    def __init__(
        self, loader: DataLoader[Any], model: Any, folder: str, device: torch.device
    ) -> None:
        self.loader, self.model, self.device = loader, model, device
        transform = getattr(loader.dataset, "transform", None)
        key = tower_key(model.image_side, transform, model.feature_kind)
        self.store = FeatureStore(Path(folder).expanduser() / key)

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        dataset: Any = self.loader.dataset  # Dassl's DatasetWrapper
        items = dataset.data_source
        keys = [_key_or_none(item.impath) for item in items]
        known = self.store.load()
        wanted = {key for key in keys if key is not None}
        unseen = [i for i, key in enumerate(keys) if key not in known]
        print(f"Image features of {len(items) - len(unseen)} of {len(items)} images from the cache")
        fresh = self._encode(unseen)
        self._remember(fresh, keys)
        known = {key: known[key] for key in wanted if key in known}
        rows = [fresh[i] if i in fresh or key is None else known[key] for i, key in enumerate(keys)]
        size = self.loader.batch_size or 1
        for start in range(0, len(items), size):
            some = items[start : start + size]
            yield {
                "features": torch.stack(rows[start : start + size]),  # (B, D)
                "label": torch.tensor([item.label for item in some]),
                "impath": [item.impath for item in some],
            }

    def _encode(self, indices: list[int]) -> dict[int, Tensor]:
        """Features of the images nobody has seen, on the CPU."""
        size, workers = self.loader.batch_size or 1, self.loader.num_workers
        some = DataLoader(Subset(self.loader.dataset, indices), size, num_workers=workers)
        bar = progress(some, desc="encoding images", leave=False)
        rows = [self.model.image_features(batch["img"].to(self.device)).cpu() for batch in bar]
        return dict(zip(indices, torch.cat(rows), strict=True)) if rows else {}

    def _remember(self, fresh: dict[int, Tensor], keys: list[bytes | None]) -> None:
        found = {key: feature for i, feature in fresh.items() if (key := keys[i]) is not None}
        if found:
            self.store.add(list(found), torch.stack(list(found.values())))


def _key_or_none(path: str) -> bytes | None:
    try:
        return image_key(path)
    except OSError:
        return None  # the loader says what is wrong with it
