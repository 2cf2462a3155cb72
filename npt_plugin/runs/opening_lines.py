"""What the log of a run begins with: what was asked for, and on what it runs."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby

import torch
from yacs.config import CfgNode

from npt_plugin.config import KEYS, extend_cfg
from npt_plugin.engine.framework import TRAINER_REGISTRY, get_cfg_default
from npt_plugin.runs.config_tree import config_as_dict, flatten
from npt_plugin.runs.layout import CONFIG
from npt_plugin.runs.settings import Request, given_keys
from npt_plugin.runs.versions import versions

IN_CONFIG = {
    *("backbone", "head", "opts", "output_dir", "resume", "root", "seed", "trainer"),
    *("source_domains", "target_domains", "transforms"),
}
"""Arguments that the config shows under its own names."""


def opening_lines(request: Request, cfg: CfgNode) -> list[str]:
    """Dassl's three heads with what matters below each: the whole config is in ``config.yaml``.

    Args:
        request: What the run was asked for.
        cfg: The config that came of it.
    """
    where = f"{cfg.OUTPUT_DIR}/{CONFIG}" if cfg.OUTPUT_DIR else "shown by --print-config"
    return [
        "** Arguments **",
        *_by_node(_given(request)),
        f"** Config ** (what differs from the defaults; the whole is {where})",
        *_by_node(_changed(cfg)),
        *ignored_keys(request, cfg.TRAINER.NAME),
        "** System info **",
        system_info(),
    ]


def _given(request: Request) -> dict[str, object]:
    usual = asdict(Request())
    given = {name: value for name, value in asdict(request).items() if value != usual[name]}
    return {name: value for name, value in given.items() if name not in IN_CONFIG}


def _by_node(values: dict[str, object]) -> list[str]:
    """``KEY value`` pairs as they are written on a command line, those of one node in a line."""
    keys = sorted(values, key=lambda key: (_node(key), key))
    groups = groupby(keys, _node)
    return ["; ".join(f"{key} {values[key]}" for key in group) for _, group in groups]


def _node(key: str) -> str:
    """The first word of ``NODE.KEY``; nothing of keys that stand at the top."""
    return key.partition(".")[0] if "." in key else ""


def _changed(cfg: CfgNode) -> dict[str, object]:
    usual = flatten(config_as_dict(extend_cfg(get_cfg_default())))
    return {
        key: value
        for key, value in flatten(config_as_dict(cfg)).items()
        if key not in usual or value != usual[key]
    }


def system_info() -> str:
    """Versions, device and threads in one line."""
    named = ", ".join(f"{name} {value}" for name, value in versions().items())
    return f"{named}, {torch.get_num_threads()} threads"


def ignored_keys(request: Request, trainer: str) -> list[str]:
    """A line that names the keys given for other trainers than the run's; none if there is none.

    Args:
        request: What the run is asked for; its yaml files are read again.
        trainer: Registry name. Of a host's own trainer it is not known what it reads.
    """
    reads = getattr(TRAINER_REGISTRY.get(trainer), "config_nodes", None)
    if reads is None:
        return []
    known = {key.name.split(".")[1] for key in KEYS if key.name.startswith("TRAINER.")}
    nodes = sorted(reads())
    unread = tuple(f"TRAINER.{node}." for node in known.difference(nodes))
    ignored = [key for key in given_keys(request) if key.startswith(unread)]
    if not ignored:
        return []
    named = ", ".join(f"TRAINER.{node}" for node in nodes)
    return [f"Ignored: {', '.join(ignored)}. Of the trainers' keys {trainer} reads {named}."]
