"""Checking a dataset on disk: classes, counts, every file, every image."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from PIL import Image

from npt_plugin.datasets.archives import Counts
from npt_plugin.datasets.base import FewShotDataset
from npt_plugin.datasets.choice_record import source_hash
from npt_plugin.datasets.images import READ_ERRORS, reason_of
from npt_plugin.datasets.rgb import to_rgb
from npt_plugin.datasets.source import Source, duplicate_names
from npt_plugin.system.progress import progress

SHOWN = 5  # of each kind of problem
ORIENTATION = 0x0112  # EXIF tag; 1 is upright


@dataclass(frozen=True)
class Problem:
    """One problem, or all problems of one kind.

    Args:
        kind: What is wrong.
        cases: One entry for each problem of the kind; empty if ``kind`` says it all.
        by_folder: The cases are paths, to be counted by folder.
    """

    kind: str
    cases: Sequence[str] = ()
    by_folder: bool = False

    @property
    def number(self) -> int:
        """Number of problems, at least 1."""
        return max(1, len(self.cases))

    def lines(self, shown: int = SHOWN) -> list[str]:
        """The kind, with the number of cases and the first of them.

        Args:
            shown: Cases listed at most, and folders named at most.
        """
        if not self.cases:
            return [self.kind]
        listed = [f"  {case}" for case in self.cases[:shown]]
        rest = len(self.cases) - len(listed)
        if rest:
            listed.append(f"  ... and {rest:,} more")
        where = self._folders(shown) if rest and self.by_folder else ""
        return [f"{self.kind}: {len(self.cases):,}{where}", *listed]

    def _folders(self, shown: int) -> str:
        counts = Counter(os.path.dirname(case) or "." for case in self.cases)
        named = [f"{count:,} in {folder}" for folder, count in counts.most_common(shown)]
        rest = len(counts) - len(named)
        return f" ({', '.join(named)}{f' and {rest:,} more folders' if rest else ''})"


def load_source(dataset_class: type[FewShotDataset], cfg: Any) -> Source:
    """Everything a dataset offers, without choosing or checking anything."""
    return dataset_class.__new__(dataset_class).load(cfg)


def verify(
    source: Source, decode_images: bool = True, published: Counts | None = None
) -> tuple[list[str], list[Problem]]:
    """Facts and problems of a dataset.

    Args:
        source: Its records.
        decode_images: Also decode every image (slow on large sets).
        published: Size of the published split; None: nothing to compare with.

    Returns:
        Lines of facts, and problems by kind, possibly none.
    """
    facts = [f"{len(source.classnames)} classes, split {source_hash(source)[:12]}"]
    strangers, empty = [], []
    for part in ("train", "val", "test"):
        records = getattr(source, part)
        counts = [0] * len(source.classnames)
        for record in records:
            if 0 <= record.label < len(counts):
                counts[record.label] += 1
            else:
                strangers.append(f"{record.path}: label {record.label} in {part}")
        if records:
            facts.append(f"{part}: {len(records)} images, {min(counts)} to {max(counts)} per class")
        if part == "train":
            empty = [f"{i} '{source.classnames[i]}'" for i, count in enumerate(counts) if not count]
    facts += [*source.remarks, *duplicate_names(source.name, source.classnames)]
    paths = sorted({r.path for part in (source.train, source.val, source.test) for r in part})
    gone = [p for p in paths if not os.path.isfile(os.path.join(source.image_root, p))]
    kinds = [
        Problem("unknown label", strangers),
        Problem("class without a training image", empty),
        Problem(f"missing under '{source.image_root}'", gone, by_folder=True),
    ]
    if decode_images:
        unreadable, remarks = look_at_images(source.image_root, sorted({*paths} - {*gone}))
        kinds.append(Problem("unreadable", unreadable))
        facts += remarks
    said = (source.refusal, _other_size(source, published), *source.problems)
    sentences = [Problem(line) for line in said if line]
    return facts, [*sentences, *(kind for kind in kinds if kind.cases)]


def _other_size(source: Source, published: Counts | None) -> str:
    found = Counts(len(source.classnames), len(source.train), len(source.val), len(source.test))
    if published in (None, found):
        return ""
    return f"the split has {found}; the published one has {published}"


def look_at_images(root: str, paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """Decode images and read their EXIF data.

    Args:
        root: Folder that the paths are relative to.
        paths: Image files.

    Returns:
        ``path: reason`` of each that cannot be read, and lines about what is lost in reading.
    """

    def look(path: str) -> tuple[str, bool, bool]:
        place = os.path.join(root, path)
        try:
            with Image.open(place) as image:
                to_rgb(image)
                turned = image.getexif().get(ORIENTATION, 1) != 1
                return "", turned, image.mode.startswith("I")
        except READ_ERRORS as error:
            return f"{path}: {reason_of(error, place)}", False, False

    with ThreadPoolExecutor() as pool:  # decoding releases the interpreter lock
        seen = list(
            progress(pool.map(look, paths), desc="decoding", total=len(paths), unit="image")
        )
    turned = [path for path, (_, yes, _) in zip(paths, seen, strict=True) if yes]
    deep = [path for path, (_, _, yes) in zip(paths, seen, strict=True) if yes]
    remarks = _counted(turned, "carry an EXIF rotation, which is ignored as in the CoOp family")
    remarks += _counted(deep, "are 16-bit greyscale, of which the upper 8 bits are used")
    return [reason for reason, _, _ in seen if reason], remarks


def _counted(paths: Sequence[str], what: str) -> list[str]:
    return [f"{len(paths)} image(s) {what}, the first is '{paths[0]}'"] if paths else []
