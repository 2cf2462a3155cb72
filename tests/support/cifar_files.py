"""CIFAR's binary format with random pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def write_binary(path: Path, labels: list[int], label_bytes: int) -> np.ndarray:
    """One file of the format; returns the pixels, (N, 3072)."""
    rng = np.random.RandomState(len(labels))
    pixels = rng.randint(0, 256, (len(labels), 3072), dtype=np.uint8)
    heads = np.zeros((len(labels), label_bytes), dtype=np.uint8)
    heads[:, -1] = labels
    path.parent.mkdir(parents=True, exist_ok=True)
    np.hstack([heads, pixels]).tofile(path)
    return pixels


def cifar100_tree(root: Path) -> None:
    """100 training and 20 test images of five classes."""
    base = root / "cifar-100/cifar-100-binary"
    write_binary(base / "train.bin", [i % 5 for i in range(100)], 2)
    write_binary(base / "test.bin", [i % 5 for i in range(20)], 2)
    (base / "fine_label_names.txt").write_text("apple\naquarium_fish\nbaby\nbear\nbeaver\n\n")
