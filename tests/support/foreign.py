"""A dataset class as a host project would write it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mini_trees import PICTURE

from npt_plugin.engine.framework import DatasetBase, Datum


def host_class(name: str = "HostSet", sizes: tuple[int, ...] = (20, 18, 22, 19)) -> type:
    """A dataset class as a host would write it: class list left to Dassl, a pickle it looks for."""

    def init(self: Any, cfg: Any) -> None:
        assert cfg.DATASET.NUM_SHOTS == -1 and cfg.DATASET.SUBSAMPLE_CLASSES == "all"
        assert cfg.DATASET.IMBALANCE.RATIO == 1.0
        root = Path(cfg.DATASET.ROOT)
        parts = []
        for part in ("train", "val", "test"):
            items = []
            for label, size in enumerate(sizes):
                for i in range(size):
                    path = root / part / f"{label}" / f"{i}.jpg"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(PICTURE)
                    items.append(Datum(str(path), label, label % 2, f"class {label}"))
            parts.append(items)
        DatasetBase.__init__(self, train_x=parts[0], val=parts[1], test=parts[2])

    return type(name, (DatasetBase,), {"__init__": init, "dataset_dir": ""})
