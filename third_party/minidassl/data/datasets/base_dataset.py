"""Base class of datasets: three or four lists of samples and a class list."""

from __future__ import annotations

import os
import tarfile
import zipfile
from collections.abc import Sequence
from typing import Any

from minidassl.data.datasets.class_names import check_split, complete_names, names_from_samples
from minidassl.data.datasets.datum import Datum
from minidassl.data.datasets.fewshot import draw_shots, group_by

__all__ = ["DatasetBase", "Datum"]


class DatasetBase:
    """Samples by split, and what the classes are called.

    A subclass reads its files and calls this constructor. The class names come from ``classnames``,
    from a class attribute ``all_classnames``, or else from the training samples, whose labels must
    then be 0 to K-1 without a gap.

    Args:
        train_x: Labelled training samples.
        train_u: Unlabelled training samples.
        val: Validation samples.
        test: Test samples.
        classnames: Names of classes 0, 1, ..., so that a class without training samples keeps its
            place.

    Raises:
        DataError: Labels or names that do not fit together.
    """

    dataset_dir: str = ""
    domains: Sequence[str] = ()
    all_classnames: Sequence[str] | None = None

    def __init__(
        self,
        train_x: list[Datum] | None = None,
        train_u: list[Datum] | None = None,
        val: list[Datum] | None = None,
        test: list[Datum] | None = None,
        classnames: Sequence[str] | None = None,
    ) -> None:
        self._train_x, self._train_u, self._val, self._test = train_x, train_u, val, test
        explicit = self.all_classnames if classnames is None else classnames
        self._lab2cname = complete_names(train_x or [], explicit)
        for name, split in (("train", train_x), ("val", val), ("test", test)):
            check_split(name, split or [], self._lab2cname)

    @property
    def train_x(self) -> list[Datum] | None:
        """Labelled training samples."""
        return self._train_x

    @property
    def train_u(self) -> list[Datum] | None:
        """Unlabelled training samples."""
        return self._train_u

    @property
    def val(self) -> list[Datum] | None:
        """Validation samples."""
        return self._val

    @property
    def test(self) -> list[Datum] | None:
        """Test samples."""
        return self._test

    @property
    def lab2cname(self) -> dict[int, str]:
        """Class name of each label."""
        return self._lab2cname

    @property
    def classnames(self) -> list[str]:
        """Class names in order of label."""
        return list(self._lab2cname.values())

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self._lab2cname)

    @staticmethod
    def get_num_classes(data_source: Sequence[Datum]) -> int:
        """Return one more than the highest label.

        Args:
            data_source: Labelled samples.

        Returns:
            Number of classes if labels have no gap.
        """
        return 1 + max(item.label for item in data_source)

    @staticmethod
    def get_lab2cname(data_source: Sequence[Datum]) -> tuple[dict[int, str], list[str]]:
        """Return the class names found in samples.

        Args:
            data_source: Labelled samples.

        Returns:
            Names by label, and the names in order of label.
        """
        names = names_from_samples(data_source)
        return names, list(names.values())

    def is_input_domain_valid(self, input_domains: Sequence[str]) -> None:
        """Refuse a domain that this dataset does not have.

        Args:
            input_domains: Names to check.

        Raises:
            ValueError: Naming the first unknown one.
        """
        for domain in input_domains:
            if domain not in self.domains:
                raise ValueError(f"There is no domain [{domain}]; allowed are {self.domains}.")

    def check_input_domains(
        self, source_domains: Sequence[str], target_domains: Sequence[str]
    ) -> None:
        """Refuse empty or unknown source and target domains.

        Args:
            source_domains: Names of the source domains.
            target_domains: Names of the target domains.
        """
        for role, domains in (("source", source_domains), ("target", target_domains)):
            if not domains:
                raise AssertionError(f"DATASET.{role.upper()}_DOMAINS is empty.")
            self.is_input_domain_valid(domains)

    def generate_fewshot_dataset(
        self, *data_sources: list[Datum], num_shots: int = -1, repeat: bool = False
    ) -> Any:
        """Draw a few samples of each class from Python's global generator.

        Args:
            *data_sources: One or more lists of samples.
            num_shots: How many of each class; below 1 keeps the lists.
            repeat: Draw with replacement from classes that have fewer; otherwise take all of them.

        Returns:
            One list if one was given, else a sequence of lists.
        """
        drawn: Sequence[list[Datum]] = data_sources
        if num_shots >= 1:
            print(f"Creating a {num_shots}-shot dataset")
            drawn = [draw_shots(source, num_shots, repeat) for source in data_sources]
        return drawn[0] if len(drawn) == 1 else drawn

    def split_dataset_by_label(self, data_source: Sequence[Datum]) -> dict[int, list[Datum]]:
        """Group samples by class.

        Args:
            data_source: Samples.

        Returns:
            Lists by label, in order of first appearance.
        """
        return group_by(data_source, "label")

    def split_dataset_by_domain(self, data_source: Sequence[Datum]) -> dict[int, list[Datum]]:
        """Group samples by domain.

        Args:
            data_source: Samples.

        Returns:
            Lists by domain, in order of first appearance.
        """
        return group_by(data_source, "domain")

    def download_data(self, url: str, dst: str, from_gdrive: bool = True) -> None:
        """Fetch an archive from Google Drive and unpack it beside itself.

        Args:
            url: Address of the archive.
            dst: File to write, ending in .zip, .tar or .tar.gz.
            from_gdrive: Must be true.

        Raises:
            NotImplementedError: Another source or kind of archive.
        """
        if not from_gdrive or not dst.endswith((".zip", ".tar", ".tar.gz")):
            raise NotImplementedError(f"cannot fetch {url} as {dst}")
        import gdown

        folder = os.path.dirname(dst)
        os.makedirs(folder, exist_ok=True)
        gdown.download(url, dst, quiet=False)
        print("Extracting file ...")
        if dst.endswith(".zip"):
            with zipfile.ZipFile(dst) as archive:
                archive.extractall(folder)
        else:
            with tarfile.open(dst) as archive:
                archive.extractall(folder, filter="data")
        print(f"File extracted to {folder}")
