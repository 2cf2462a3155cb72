"""Base of the long-tailed benchmarks that come as list files (ImageNet-LT, Places-LT, iNat18)."""

from __future__ import annotations

import os

from npt_plugin.datasets.base import FewShotDataset
from npt_plugin.datasets.list_format import Row, label_numbers, read_rows, to_records
from npt_plugin.datasets.source import Record, Source
from npt_plugin.errors import UserError


class LongTailLists(FewShotDataset):
    """Train, val and test from ``<path> <label>`` lists; class names from :meth:`class_names`.

    Shots, class halves and further imbalance work as on any dataset; without them the lists are
    taken as they are. Source of the format: Liu et al., OLTR, CVPR 2019.
    """

    lists: tuple[str, str, str]  # train, val, test; val may be empty
    images = ""  # image folder under DATASET.ROOT, where it is not in dataset_dir

    def read(self) -> Source:
        """List the images of the three files."""
        name = self.registry_name()
        root = os.path.join(self.root, self.images) if self.images else self.dataset_dir
        rows = [self.rows(file) for file in self.lists]
        every = [row for part in rows for row in part]
        numbers = label_numbers(every)
        names = self.class_names(rows[0], numbers)
        train, val, test = (to_records(part, numbers, names) for part in rows)
        return Source(name, root, names, train, val, test)

    def rows(self, file: str) -> list[Row]:
        """Rows of one list, none if the benchmark has no such list."""
        return read_rows(os.path.join(self.dataset_dir, file)) if file else []

    def class_names(self, rows: list[Row], numbers: dict[str, int]) -> list[str]:
        """K names in label order."""
        raise NotImplementedError

    def by_folder(
        self, rows: list[Row], numbers: dict[str, int], table: dict[str, str] | None
    ) -> list[str]:
        """Name each class after the folder of its images.

        Args:
            rows: Rows of the training list.
            numbers: Label as written to class index.
            table: Folder to name; None takes the folder itself, with spaces for ``_``.

        Returns:
            K names in label order.

        Raises:
            UserError: A folder the table does not list, or a label without any training row.
        """
        names: dict[int, str] = {}
        for row in rows:
            folder = row.path.split("/")[-2] if "/" in row.path else ""
            if table is not None and folder not in table:
                raise UserError(
                    f"{self.registry_name()}: the class names do not list the folder '{folder}' of "
                    f"'{row.path}'."
                )
            names.setdefault(
                numbers[row.label], table[folder] if table else folder.replace("_", " ")
            )
        missing = sorted(set(range(max(names) + 1)) - set(names))
        if missing:
            raise UserError(
                f"{self.registry_name()}: label {missing[0]} has no training row; the list is "
                "incomplete or its labels do not start at 0."
            )
        return [names[label] for label in range(len(names))]


def group_sizes(
    records: list[Record], many_above: int = 100, few_below: int = 20
) -> tuple[int, ...]:
    """Number of many-, medium- and few-shot classes by training count.

    Args:
        records: Training records.
        many_above: Many means more than this.
        few_below: Few means fewer than this.

    Returns:
        ``(many, medium, few)``.
    """
    counts: dict[int, int] = {}
    for record in records:
        counts[record.label] = counts.get(record.label, 0) + 1
    many = sum(n > many_above for n in counts.values())
    few = sum(n < few_below for n in counts.values())
    return many, len(counts) - many - few, few
