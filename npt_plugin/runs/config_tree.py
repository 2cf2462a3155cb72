"""Configs as plain trees: flattened, and compared by what changes a run's numbers."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import yaml
from yacs.config import CfgNode

from npt_plugin.config import DASSL_KEYS, KEYS
from npt_plugin.runs.old_keys import RENAMED, meant_before

_OTHER_NUMBERS = {key.name for key in (*KEYS, *DASSL_KEYS) if not key.numbers}
_DEFAULTS = {key.name: key.default for key in KEYS}


def config_as_dict(cfg: CfgNode) -> dict[str, Any]:
    """A config as nested plain dicts, lists and scalars."""
    return {key: _plain(value) for key, value in cfg.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, CfgNode):
        return config_as_dict(value)
    return list(value) if isinstance(value, (tuple, list)) else value


def config_text(cfg: CfgNode) -> str:
    """A config as YAML: what ``cfg.dump()`` says, in a tenth of its time where libyaml is there.

    Long lines with letters beyond ASCII may be wrapped elsewhere.
    """
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(config_as_dict(cfg), Dumper=dumper)
    return text


def parsed_yaml(text: str) -> Any:
    """YAML as plain values, read by libyaml where it is there.

    Raises:
        yaml.YAMLError: If it is no YAML.
    """
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """``{"A": {"B": 1}}`` as ``{"A.B": 1}``, keys of version 0.1 under their present names."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            flat.update(flatten(value, f"{name}."))
        else:
            flat[RENAMED.get(name, name)] = value
    return flat


def config_difference(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """``"KEY: old -> new"`` for every key that can change numbers and differs.

    A key that the older config lacks had its default then, since new keys change nothing by
    default, but for those of ``meant_before``; one that the newer config lacks no longer exists.

    Args:
        old: Nested config of the earlier run, of any version.
        new: Nested config of this run.
    """
    held, after = flatten(old), flatten(new)
    before = {**_DEFAULTS, **meant_before(held), **held}
    keys = [k for k in sorted(after) if k in before and k not in _OTHER_NUMBERS]
    return [f"{k}: {before[k]} -> {after[k]}" for k in keys if before[k] != after[k]]


def config_hash(cfg: CfgNode) -> str:
    """12 hex digits over every key that can change numbers."""
    flat = {k: v for k, v in flatten(config_as_dict(cfg)).items() if k not in _OTHER_NUMBERS}
    return hashlib.sha256(json.dumps(flat, sort_keys=True).encode()).hexdigest()[:12]
