"""The form of a catalogue entry: a dataset, its files, and the places each file can be had from."""

from __future__ import annotations

from dataclasses import dataclass

SOURCES = ("publisher", "torchvision", "huggingface", "drive")
"""Kinds of places, in the order in which they are tried."""


@dataclass(frozen=True)
class Mirror:
    """One place that a file can be had from.

    Args:
        source: One of ``SOURCES``.
        url: Direct link, or empty.
        gdrive: Google Drive id, or empty.
        file: Name of the file as it lies there.
        md5: Checksum, in hexadecimal digits; empty where none is published.
        sha256: The same.
        bytes: Exact size; 0 where it is not known.
        strip: Leading folder inside the archive to leave out.
        inner: An archive inside the archive, which is the one that counts.
        member: Of a zip archive at ``url``: the only member that is wanted, by its last name.
    """

    source: str
    url: str = ""
    gdrive: str = ""
    file: str = ""
    md5: str = ""
    sha256: str = ""
    bytes: int = 0
    strip: str = ""
    inner: str = ""
    member: str = ""

    @property
    def checked_by(self) -> str:
        """What tells a good copy from a bad one, in words."""
        sums = [name for name, has in (("sha256", self.sha256), ("md5", self.md5)) if has]
        return " ".join(sums) or ("size" if self.bytes else "its format only")


@dataclass(frozen=True)
class Part:
    """One file to fetch.

    Args:
        file: Its name; for a plain file the place under DATASET.ROOT.
        mirrors: Where it can be had, best first.
        gives: Paths under DATASET.ROOT that come with it.
        into: For an archive, the folder under DATASET.ROOT it is unpacked into.
        mb: Rough size in megabytes (10^6 bytes).
    """

    file: str
    mirrors: tuple[Mirror, ...]
    gives: tuple[str, ...]
    into: str | None = None
    mb: float = 0.0


@dataclass(frozen=True)
class Bundle:
    """One zip archive that holds a whole dataset in the CoOp family's layout.

    Args:
        mirror: Where it is.
        mb: Rough size in megabytes.
    """

    mirror: Mirror
    mb: float


@dataclass(frozen=True)
class Counts:
    """How large the published split is: numbers of classes and of images."""

    classes: int
    train: int
    val: int
    test: int

    def __str__(self) -> str:
        return (
            f"{self.classes:,} classes, {self.train:,} training, {self.val:,} validation and "
            f"{self.test:,} test images"
        )


@dataclass(frozen=True)
class Entry:
    """One dataset.

    Args:
        name: Registry name.
        title: Full name, for people.
        size: Of the download, for people.
        licence: Note on terms; not legal advice.
        expects: Files and folders under DATASET.ROOT that a complete copy has.
        parts: What can be fetched without a person.
        bundle: Stands in where the archive of a part cannot be had.
        counts: Of the published split, where there is one.
        manual: What a person has to do, one step each; also the way out when a link is dead.
    """

    name: str
    title: str
    size: str
    licence: str
    expects: tuple[str, ...]
    parts: tuple[Part, ...] = ()
    bundle: Bundle | None = None
    counts: Counts | None = None
    manual: tuple[str, ...] = ()

    @property
    def automatic(self) -> bool:
        """Whether all it expects can be fetched without a person."""
        given = {path for part in self.parts for path in part.gives}
        return bool(self.bundle) or given >= set(self.expects)

    @property
    def folder(self) -> str:
        """Folder under DATASET.ROOT."""
        return self.expects[0].split("/")[0]
