"""Folders of one's own images: which files are taken, and which are left out and why."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field

from PIL import Image

from npt_plugin.datasets.scanning import visible

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
"""Taken on every machine."""

OTHER_IMAGES = (".avif", ".heic", ".heif", ".jfif", ".jp2", ".jxl", ".psd", ".svg", ".tga")
"""Image files that are not taken; ``.avif`` is, where Pillow reads it."""


def is_taken(name: str) -> bool:
    """Whether a file counts as an image, by its suffix."""
    suffix = _suffix(name)
    return suffix in SUFFIXES or (suffix == ".avif" and suffix in Image.registered_extensions())


@dataclass
class FolderScan:
    """Images of class folders, and what else is there.

    Args:
        root: Folder that all paths are relative to.
    """

    root: str
    nested: list[str] = field(default_factory=list)  # images below a class folder
    loose: list[str] = field(default_factory=list)  # images beside the class folders
    unread: Counter[str] = field(default_factory=Counter)  # images of other formats, by suffix
    strange: Counter[str] = field(default_factory=Counter)  # no images, by suffix

    def images(self, folder: str) -> list[str]:
        """Names of the images directly in a class folder, sorted; none if it does not exist.

        Files that are not taken are counted.
        """
        if not os.path.isdir(self._place(folder)):
            return []
        taken = [path for path in self._files(folder) if self._counts(path)]
        direct = [path for path in taken if os.path.dirname(path) == folder]
        self.nested += [path for path in taken if os.path.dirname(path) != folder]
        return [os.path.basename(path) for path in direct]

    def beside(self, folder: str = "", deep: bool = False) -> None:
        """Note images that belong to no class.

        Args:
            folder: Where they lie, directly; "" is the root.
            deep: Also in all folders below.
        """
        for path in self._files(folder) if deep else self._names(folder):
            if is_taken(path):
                self.loose.append(path)

    def problems(self, name: str) -> list[str]:
        """One line for each way in which images are left out.

        Args:
            name: Dataset name for the lines.
        """
        lines = []
        for paths, where, remedy in (
            (self.nested, "in folders inside a class folder", "move them up into it"),
            (self.loose, "that belong to no class", "put them into a class folder"),
        ):
            if paths:
                lines.append(
                    f"{name}: {len(paths)} image(s) {where} are left out, the first is "
                    f"'{paths[0]}'; {remedy}."
                )
        if self.unread:
            lines.append(
                f"{name}: {self.unread.total()} image(s) of formats that are not read here are "
                f"left out ({_by_suffix(self.unread)}); convert them to JPEG or PNG."
            )
        return lines

    def remarks(self, name: str) -> list[str]:
        """A line about files that are no images, if there are any."""
        if not self.strange:
            return []
        return [
            f"{name}: {self.strange.total()} file(s) that are no images are left out "
            f"({_by_suffix(self.strange)})."
        ]

    def _counts(self, name: str) -> bool:
        if is_taken(name):
            return True
        suffix = _suffix(name)
        counter = self.unread if suffix in OTHER_IMAGES else self.strange
        counter[suffix or "no suffix"] += 1
        return False

    def _names(self, folder: str) -> list[str]:
        """Sorted paths of the files directly in a folder."""
        paths = (f"{folder}/{name}" if folder else name for name in visible(self._place(folder)))
        return sorted(path for path in paths if os.path.isfile(self._place(path)))

    def _files(self, folder: str) -> list[str]:
        """Sorted paths of all visible files in and below a folder."""
        found = []
        for place, folders, names in os.walk(self._place(folder)):
            folders[:] = [name for name in folders if not name.startswith(".")]
            found += [os.path.join(place, name) for name in names if not name.startswith(".")]
        return sorted(os.path.relpath(path, self.root).replace(os.sep, "/") for path in found)

    def _place(self, path: str) -> str:
        return os.path.join(self.root, path)


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _by_suffix(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {suffix}" for suffix, count in counts.most_common())
