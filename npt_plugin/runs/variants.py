"""Variants of a trainer: the same trainer with other settings, ``NPT_CoOp:loss=balanced_softmax``.

A variant has its own runs: its settings stand behind the config's name in their path, in full and
in order (``vit_b16+TRAINER.IMBALANCE_LOSS.NAME=balanced_softmax``), however they were typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote

from npt_plugin.config import extend_cfg
from npt_plugin.engine.framework import get_cfg_default
from npt_plugin.errors import UserError, nearest_hint
from npt_plugin.runs.config_tree import config_as_dict, flatten
from npt_plugin.runs.settings import merge_options

WORDS = {
    "loss": "TRAINER.IMBALANCE_LOSS.NAME",
    "head": "TRAINER.HEAD.NAME",
    "lr": "OPTIM.LR",
    "epochs": "OPTIM.MAX_EPOCH",
}
"""Short words of the field for keys whose own last part does not say it."""

_VALUES = {"TRAIN.STEPS": {"balanced": "-1"}}
"""Words for values that are codes."""

MARK = "+"
"""Between a config's name and the settings of a variant."""

PLACED = ("SEED", "OUTPUT_DIR", "RESUME", "DATASET.", "TRAINER.NAME", "MODEL.BACKBONE.NAME")
"""Keys that a job sets itself, or that are one for all of a sweep's trainers."""

_PAIR = re.compile(r"([^=,]+)=((?:\([^)]*\)|\[[^]]*\]|[^,])*)(?:,|$)")


@dataclass(frozen=True)
class Method:
    """A trainer, and what it does otherwise than its config says.

    Attributes:
        trainer: Registry name.
        settings: Config keys in full and their values as typed, by key.
    """

    trainer: str
    settings: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, word: str) -> Method:
        """What a word means.

        Args:
            word: ``TRAINER`` or ``TRAINER:KEY=VALUE[,KEY=VALUE ...]``; of a key its last part
                will do where no other key ends so, upper or lower case, and the words of ``WORDS``.

        Raises:
            UserError: On an unknown or ambiguous key, a value of the wrong type, or a word that
                is not of this form.

        Example:
            >>> Method.parse("NPT_CoOp:loss=ldam").settings
            (('TRAINER.IMBALANCE_LOSS.NAME', 'ldam'),)
        """
        trainer, colon, rest = word.partition(":")
        pairs = _PAIR.findall(rest)
        if colon and (not pairs or _PAIR.sub("", rest) or rest.endswith(",")):
            raise UserError(
                f"{word!r} is not TRAINER:KEY=VALUE,KEY=VALUE, for example "
                "NPT_CoOp:loss=balanced_softmax."
            )
        node = f"TRAINER.{trainer.replace('-', '_').removeprefix('NPT_').upper()}."
        settings = {_key(key.strip(), node, word): value for key, value in pairs}
        settings = {k: _VALUES.get(k, {}).get(v.lower(), v) for k, v in settings.items()}
        cfg = extend_cfg(get_cfg_default())
        merge_options(cfg, [part for pair in settings.items() for part in pair])
        values = flatten(config_as_dict(cfg))  # 1e-2 and 0.01 are one setting
        return cls(trainer, tuple((key, str(values[key])) for key in sorted(settings)))

    def __str__(self) -> str:
        """As a reader should see it, and as it may be typed."""
        return method_name(self.trainer, self.suffix)

    @property
    def options(self) -> tuple[str, ...]:
        """The settings as overrides, ``(KEY, value, ...)``."""
        return tuple(part for pair in self.settings for part in pair)

    @property
    def suffix(self) -> str:
        """What stands behind the config's name in a path; empty for the trainer as it is."""
        return "".join(f"{MARK}{key}={quote(value, safe='(),')}" for key, value in self.settings)


def suffix_of(config: str) -> str:
    """The part of a config's name in a path that names a variant.

    Example:
        >>> suffix_of("vit_b16+OPTIM.LR=0.01"), suffix_of("vit_b16_c2_ep5_batch4_2+2ctx")
        ('+OPTIM.LR=0.01', '')
    """
    found = re.search(r"(\+[A-Z][A-Z0-9_.]*=[^+]*)+$", config)
    return found.group() if found else ""


def method_name(trainer: str, config: str) -> str:
    """A trainer and its variant, as a reader should see them and as they may be typed.

    Example:
        >>> method_name("CoOp", "vit_b16+TRAINER.IMBALANCE_LOSS.NAME=ldam+OPTIM.LR=0.01")
        'CoOp:loss=ldam,lr=0.01'
    """
    settings = [part.split("=", 1) for part in suffix_of(config).split(MARK)[1:]]
    words = ",".join(f"{_short(key)}={_said(key, unquote(value))}" for key, value in settings)
    return f"{trainer}:{words}" if words else trainer


def _said(key: str, value: str) -> str:
    """A value by its word, if it has one."""
    return next((word for word, v in _VALUES.get(key, {}).items() if v == value), value)


@lru_cache(maxsize=1)
def _known() -> tuple[str, ...]:
    return tuple(flatten(config_as_dict(extend_cfg(get_cfg_default()))))


def _ending(word: str) -> list[str]:
    plain = word.lower()
    return [key for key in _known() if f".{key.lower()}".endswith(f".{plain}")]


def _short(key: str) -> str:
    """The shortest word that means a key."""
    named = {full: word for word, full in WORDS.items()}
    parts = key.lower().split(".")
    tails = (".".join(parts[-n:]) for n in range(1, len(parts)))
    return named.get(key) or next((t for t in tails if _ending(t) == [key]), key)


def _key(word: str, node: str, whole: str) -> str:
    """The config key a word means; of several that end so, that of the trainer's own node."""
    named = WORDS.get(word.lower(), word)
    found = [key for key in _known() if key.lower() == named.lower()] or _ending(named)
    found = [key for key in found if key.startswith(node)] or found
    if len(found) == 1:
        if found[0].startswith(PLACED):
            raise UserError(f"{word!r} in {whole!r} is not of a trainer: there is a flag for it.")
        return found[0]
    if found:
        raise UserError(f"{word!r} in {whole!r} may mean {_or(found)}: write the key in full.")
    hint = nearest_hint(word, [*WORDS, *_known()])
    raise UserError(f"{word!r} in {whole!r} is no config key{hint}; `npt list keys` shows all.")


def _or(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}"
