"""One labelled image on disk."""

from __future__ import annotations

import os

from minidassl.errors import DataError


class Datum:
    """An image file with its labels; read-only.

    Args:
        impath: Image file, which must exist.
        label: Class index.
        domain: Domain index.
        classname: Name of the class.

    Raises:
        DataError: There is no such file.
    """

    def __init__(
        self, impath: str = "", label: int = 0, domain: int = 0, classname: str = ""
    ) -> None:
        if not isinstance(impath, str):
            raise TypeError(f"impath must be text, not {type(impath).__name__}")
        if not os.path.isfile(impath):
            raise DataError(
                f'No image file at "{impath}"; check that DATASET.ROOT is right and the dataset '
                "is complete."
            )
        # These four names are what pickled few-shot splits of existing projects contain.
        self._impath = impath
        self._label = label
        self._domain = domain
        self._classname = classname

    @property
    def impath(self) -> str:
        """Path of the image file."""
        return self._impath

    @property
    def label(self) -> int:
        """Class index."""
        return self._label

    @property
    def domain(self) -> int:
        """Domain index."""
        return self._domain

    @property
    def classname(self) -> str:
        """Name of the class."""
        return self._classname

    def __repr__(self) -> str:
        return (
            f"Datum(impath={self._impath!r}, label={self._label}, domain={self._domain}, "
            f"classname={self._classname!r})"
        )
