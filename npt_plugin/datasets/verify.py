"""Checking a dataset on disk: classes, counts, every file, every image."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tqdm import tqdm

from npt_plugin.datasets.base import FewShotDataset
from npt_plugin.datasets.choice_record import source_hash
from npt_plugin.datasets.images import BadImageError, read_image
from npt_plugin.datasets.source import Source, duplicate_names


def load_source(dataset_class: type[FewShotDataset], cfg: Any) -> Source:
    """Everything a dataset offers, without choosing or checking anything."""
    return dataset_class.__new__(dataset_class).load(cfg)


def verify(source: Source, decode: bool = True) -> tuple[list[str], list[str]]:
    """Facts and problems of a dataset.

    Args:
        source: its records.
        decode: also decode every image (slow on large sets).

    Returns:
        Lines of facts, and one line per problem, possibly none.
    """
    facts, problems = [], []
    for part in ("train", "val", "test"):
        records = getattr(source, part)
        counts = [0] * len(source.classnames)
        for record in records:
            if 0 <= record.label < len(counts):
                counts[record.label] += 1
            else:
                problems.append(f"{part}: '{record.path}' has the unknown label {record.label}")
        if records:
            facts.append(f"{part}: {len(records)} images, {min(counts)} to {max(counts)} per class")
        if part == "train":
            problems += [
                f"train: class {label} ('{source.classnames[label]}') has no image"
                for label, count in enumerate(counts)
                if not count
            ]
    facts.insert(0, f"{len(source.classnames)} classes, split {source_hash(source)[:12]}")
    facts += duplicate_names(source.name, source.classnames)
    problems += bad_files(source, decode)
    return facts, problems


def bad_files(source: Source, decode: bool) -> list[str]:
    """Missing files and, if asked, files that are no readable image."""
    paths = sorted({r.path for part in (source.train, source.val, source.test) for r in part})
    full = [os.path.join(source.image_root, path) for path in paths]
    gone = {path for path in full if not os.path.isfile(path)}
    lines = [f"missing: {path}" for path in full if path in gone]
    if decode:
        lines += list(_undecodable([path for path in full if path not in gone]))
    return lines


def _undecodable(paths: list[str]) -> Iterator[str]:
    def problem(path: str) -> str | None:
        try:
            read_image(path)
        except BadImageError as error:
            return f"unreadable: {error}"
        return None

    with ThreadPoolExecutor() as pool:  # decoding releases the interpreter lock
        checked = tqdm(pool.map(problem, paths), desc="decoding", total=len(paths), unit="image")
        yield from (line for line in checked if line)
