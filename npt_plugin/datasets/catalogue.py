"""Where each dataset comes from: ``sources.yaml``, read into :class:`Entry`.

Links die; one that changed is mended in ``sources.yaml`` and nowhere else.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any

import yaml

from npt_plugin.datasets.archives import SOURCES, Bundle, Counts, Entry, Mirror, Part
from npt_plugin.datasets.words import size_in_words


def read_catalogue(text: str) -> dict[str, Entry]:
    """Entries by registry name from the text of a ``sources.yaml``."""
    content = yaml.safe_load(text)
    return {
        name: _entry(name, about, content["huggingface"])
        for name, about in content["datasets"].items()
    }


def _entry(name: str, about: dict[str, Any], hub: str) -> Entry:
    about = dict(about)
    counts, bundle, parts = (about.pop(key, None) for key in ("counts", "bundle", "parts"))
    expects, manual = tuple(about.pop("expects")), tuple(about.pop("manual", ()))
    whole = None
    if bundle:
        mb = bundle.pop("mb")
        whole = Bundle(Mirror("huggingface", url=hub + bundle["file"], **bundle), mb)
    given = {path for part in parts or () for path in part.get("gives", [part["file"]])}
    rest = tuple(path for path in expects if path not in given)
    made = tuple(_part(part, whole, rest) for part in parts or ())
    size = about.pop("size", "") or size_in_words(
        sum(part.mb for part in made if part.into is not None) or (whole.mb if whole else 0)
    )
    return Entry(
        name,
        size=size,
        expects=expects,
        parts=made,
        bundle=whole,
        counts=Counts(**counts) if counts else None,
        manual=manual,
        **about,
    )


def _part(about: dict[str, Any], whole: Bundle | None, rest: tuple[str, ...]) -> Part:
    file, into = about["file"], about.get("into")
    mirrors = [_mirror(dict(mirror), file) for mirror in about["mirrors"]]
    if into is None and whole:  # a small file is also a member of the bundle
        member = PurePosixPath(file).name
        mirrors.append(Mirror("huggingface", url=whole.mirror.url, file=member, member=member))
    mirrors.sort(key=lambda mirror: SOURCES.index(mirror.source))
    gives = tuple(about.get("gives", rest if into is not None else [file]))
    return Part(file, tuple(mirrors), gives, into, about.get("mb", 0.0))


def _mirror(about: dict[str, Any], file: str) -> Mirror:
    about.setdefault("file", PurePosixPath(about.get("url") or file).name)
    return Mirror(about.pop("from"), **about)


CATALOGUE = read_catalogue(
    files("npt_plugin.datasets").joinpath("sources.yaml").read_text(encoding="utf-8")
)
"""Registry name to entry."""
