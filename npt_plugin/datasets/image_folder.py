"""``DATASET.NAME: ImageFolder``: your own data as folders of images, without Python."""

from __future__ import annotations

import os

from npt_plugin.datasets.base import FewShotDataset
from npt_plugin.datasets.fewshot import seeded_random
from npt_plugin.datasets.folder_scan import FolderScan
from npt_plugin.datasets.list_format import read_folder_names
from npt_plugin.datasets.scanning import class_folders
from npt_plugin.datasets.source import Record, Source, classnames_of
from npt_plugin.datasets.split import read_split, split_three, write_split
from npt_plugin.datasets.split_drift import new_classes, new_images
from npt_plugin.errors import UserError

SPLIT_FILE = "split_npt.json"
PARTS = ("train", "val", "test")


class ImageFolder(FewShotDataset):
    """``ROOT/{train,val,test}/<class>/<image>``, or ``ROOT/<class>/<image>`` divided by seed.

    With a ``train`` folder, ``val`` is optional, and without ``test`` it serves as test set.
    Otherwise each class is divided 50/20/30 by ``DATASET.SPLIT_SEED`` once; the result is kept in
    ``ROOT/split_npt.json`` (delete it to divide again); images that come later are counted and not
    used, and new classes are refused. The classes are the sorted folder names of all parts
    together. ``DATASET.CLASSNAMES_FILE`` holds lines ``<folder> <name words>``. What is left out,
    and why, is said at the start of a run.
    """

    required = ()

    def read(self) -> Source:
        """List all images, and note what is left out."""
        self.scan = FolderScan(self.root)
        self.scan.beside()
        source = self.read_parts_or_classes()
        source.problems += self.scan.problems(source.name)
        source.remarks += self.scan.remarks(source.name)
        return source

    def read_parts_or_classes(self) -> Source:
        """List the images by whichever of the two layouts the root has."""
        have = [part for part in PARTS if os.path.isdir(os.path.join(self.root, part))]
        if "train" in have:
            return self.read_parts(have)
        return self.read_single()

    def read_parts(self, have: list[str]) -> Source:
        """List ``<part>/<class>/<image>``."""
        if len(have) == 1:
            raise UserError(
                f"'{self.root}' has a train folder but neither test nor val; add one, or put the "
                "class folders directly into the root to have them divided by seed."
            )
        folders = sorted({f for part in have for f in class_folders(os.path.join(self.root, part))})
        for other in sorted(set(class_folders(self.root)) - {*PARTS, "split_fewshot"}):
            self.scan.beside(other, deep=True)  # for example "valid"
        names = self.names(folders)
        parts: dict[str, list[Record]] = {part: [] for part in PARTS}
        for part in have:
            self.scan.beside(part)
            for label, folder in enumerate(folders):
                parts[part] += self.images(f"{part}/{folder}", label, names[label])
        remarks = []
        if not parts["test"]:
            parts["test"], parts["val"] = parts["val"], []
            remarks = ["ImageFolder: there is no test image; the validation images are tested on."]
        return Source(
            self.registry_name(),
            self.root,
            names,
            parts["train"],
            parts["val"],
            parts["test"],
            remarks=remarks,
        )

    def read_single(self) -> Source:
        """List ``<class>/<image>``, divided into parts by the split file."""
        path = os.path.join(self.root, SPLIT_FILE)
        folders = class_folders(self.root, ignored=("split_fewshot",))
        found = {folder: self.scan.images(folder) for folder in folders}
        if not os.path.exists(path):
            self.draw_split(path, found)
        parts = read_split(path)
        everything = [record for part in parts for record in part]
        folders = classnames_of(self.registry_name(), *parts)
        names = self.names(folders)
        train, val, test = ([r._replace(classname=names[r.label]) for r in part] for part in parts)
        return Source(
            self.registry_name(),
            self.root,
            names,
            train,
            val,
            test,
            problems=new_images(found, everything, SPLIT_FILE),
            refusal=new_classes(found, everything, SPLIT_FILE),
        )

    def draw_split(self, path: str, found: dict[str, list[str]]) -> None:
        """Divide every class by ``DATASET.SPLIT_SEED`` and write the split file.

        Raises:
            UserError: A class without an image, or with too few to be divided.
        """
        empty = [folder for folder, names in found.items() if not names]
        if empty:
            inside = f" ({len(self.scan.nested)} lie deeper)" if self.scan.nested else ""
            raise UserError(
                f"The class folder '{os.path.join(self.root, empty[0])}' holds no image{inside}."
            )
        classes = [
            [Record(f"{folder}/{name}", label, folder) for name in names]
            for label, (folder, names) in enumerate(found.items())
        ]
        rng = seeded_random(self.cfg_dataset.get("SPLIT_SEED", 1))
        write_split(path, *split_three(classes, rng))

    def images(self, folder: str, label: int, classname: str) -> list[Record]:
        """Images directly in a folder, sorted; none if the folder does not exist."""
        return [Record(f"{folder}/{name}", label, classname) for name in self.scan.images(folder)]

    def names(self, folders: list[str]) -> list[str]:
        """Class names of folders: their own names, or those the class-name file gives."""
        file = self.cfg_dataset.get("CLASSNAMES_FILE", "")
        if not file:
            return folders
        table = read_folder_names(os.path.join(self.root, file))
        unknown = [folder for folder in folders if folder not in table]
        if unknown:
            raise UserError(
                f"DATASET.CLASSNAMES_FILE '{file}' does not list the folder '{unknown[0]}'; write "
                "one line '<folder> <name>' per class."
            )
        return [table[folder] for folder in folders]
