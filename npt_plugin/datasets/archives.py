"""The form of a catalogue entry: a dataset, and the files it is downloaded as."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Part:
    """One file to fetch.

    Args:
        file: Its name; for a plain file the place under DATASET.ROOT.
        url: Direct link, or empty.
        gdrive: Google Drive id, or empty.
        md5: Checksum of the file, or empty where none is published.
        into: For an archive, the folder under DATASET.ROOT it is unpacked into.
        strip: Leading folder inside the archive to leave out.
        inner: An archive inside the archive, which is the one that counts.
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
        name: Registry name.
        title: Full name, for people.
        size: Of the download, for people.
        licence: Note on terms; not legal advice.
        expects: Files and folders under DATASET.ROOT that a complete copy has.
        parts: What can be fetched without a person.
        manual: What a person has to do, one step each; also the way out when a link is dead.
    """

    name: str
    title: str
    size: str
    licence: str
    expects: tuple[str, ...]
    parts: tuple[Part, ...] = ()
    manual: tuple[str, ...] = field(default=())
