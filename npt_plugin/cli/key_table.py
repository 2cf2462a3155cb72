"""Every config key we know of with its default and meaning: for ``npt list keys`` and its page."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import Any

from tabulate import tabulate

from npt_plugin.config import DASSL_KEYS, KEYS, Key, extend_cfg
from npt_plugin.engine.framework import get_cfg_default

_INTRO = """# Config keys

The keys we add to Dassl's, and those of Dassl's that we say more about; `npt list keys` prints the
same, `npt list keys LAMBDA` those with LAMBDA in their name. Set them in a yaml file or as
`KEY value` on a command line. This page is made by `npt list keys --markdown`.

Notes: *host* - the training step of a wrapped host would ignore it, so there it is refused unless
it has its default; *same numbers* - two runs that differ in it are one run; *path* - may be
relative to where the run was started.
"""


def key_rows() -> list[tuple[str, str, str]]:
    """Name, default and meaning of each key, by name."""
    return [(key.name, default, key.meaning) for key, default in _known()]


def keys_page() -> str:
    """``docs/keys.md``: a table a node."""
    texts = [_INTRO]
    for node, keys in groupby(_known(), key=lambda pair: pair[0].name.rpartition(".")[0]):
        rows = [
            [f"`{key.name}`", f"`{default}`", _escaped(key.meaning), _notes(key)]
            for key, default in keys
        ]
        table = tabulate(
            rows, ["key", "default", "meaning", "notes"], "github", disable_numparse=True
        )
        texts.append(f"## {node or 'Top'}\n\n{table}\n")
    return "\n".join(texts)


def _known() -> list[tuple[Key, str]]:
    cfg = extend_cfg(get_cfg_default())
    keys = sorted((*KEYS, *DASSL_KEYS), key=lambda key: (key.name.rpartition(".")[0], key.name))
    return [(key, _shown(attrgetter(key.name)(cfg))) for key in keys]


def _shown(default: Any) -> str:
    if isinstance(default, float):
        return repr(round(default, 6))
    return '""' if default == "" else str(default)


def _notes(key: Key) -> str:
    notes = ["host"] if key.ours else []
    notes += [] if key.numbers else ["same numbers"]
    notes += ["path"] if key.path else []
    notes += [] if key.least is None else [f"at least {key.least:g}"]
    return ", ".join(notes)


def _escaped(text: str) -> str:
    """Markdown would take ``*LT`` and ``NPT_*`` for emphasis and ``<path>`` for HTML."""
    return text.replace("*", r"\*").replace("<", r"\<").replace("|", r"\|")
