"""What is written down about the source of a dataset."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Part:
    """One file to fetch.

    Args:
        file: its name; for a plain file the place under DATASET.ROOT.
        url: direct link, or empty.
        gdrive: Google Drive id, or empty.
        md5: checksum of the file, or empty where none is published.
        into: for an archive, the folder under DATASET.ROOT it is unpacked into.
        strip: leading folder inside the archive to leave out.
        inner: an archive inside the archive, which is the one that counts.
    """

    file: str
    url: str = ""
    gdrive: str = ""
    md5: str = ""
    into: str | None = None
    strip: str = ""
    inner: str = ""


@dataclass(frozen=True)
class Entry:
    """One dataset.

    Args:
        name: registry name.
        title: full name, for people.
        size: of the download, for people.
        licence: note on terms; not legal advice.
        expects: files and folders under DATASET.ROOT that a complete copy has.
        parts: what can be fetched without a person.
        manual: what a person has to do, one step each; also the way out when a link is dead.
    """

    name: str
    title: str
    size: str
    licence: str
    expects: tuple[str, ...]
    parts: tuple[Part, ...] = ()
    manual: tuple[str, ...] = field(default=())
