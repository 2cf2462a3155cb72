"""CLIP for one run; a process that forks runs keeps it loaded for them.

Every call of :func:`prepared_clip` gives a model of the run's own, to train, replace or cast as it
likes. What a forked run takes is its parent's copy, which the fork has made its own already.
"""

from __future__ import annotations

import copy
import hashlib
import os
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import torch

from npt_plugin.backbone.files import weights_in
from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.loading import load_clip
from npt_plugin.errors import UserError
from npt_plugin.system import shared

MOST_KEPT = 2
"""Models kept at a time: a sweep has one backbone, seldom two precisions."""


SMALL = 2**26
"""Bytes of parameters up to which a copy is made faster than a model is built."""

MOST_ASKED = 3
"""Of a small model so many are kept: as many as a run may ask for, so that none has to be copied
in each."""


class Wanted(NamedTuple):
    """Which CLIP: plain values, so that they can go from process to process.

    Attributes:
        name: ``MODEL.BACKBONE.NAME``.
        weights: ``MODEL.CLIP_WEIGHTS``.
        dtype: Of the towers, such as ``float32``.
        file: Size and time of the file with the weights; empty where the name is no file's.
    """

    name: str
    weights: str
    dtype: str
    file: str


_kept: OrderedDict[Wanted, list[Backbone]] = OrderedDict()
_asked: list[Wanted] = []
_copied = False


def prepared_clip(cfg: Any, dtype: torch.dtype, draws: bool = True) -> Backbone:
    """The CLIP of a run in the run's precision, on the CPU.

    The random state afterwards is as if it had been loaded: CLIP's constructor draws numbers that
    its weights then replace, and what a run draws later depends on how many.

    Args:
        cfg: The run's config.
        dtype: Of the towers, see :meth:`~npt_plugin.backbone.interface.Backbone.cast`.
        draws: False where the random state afterwards does not matter.
    """
    wanted = _wanted(cfg.MODEL.BACKBONE.NAME, cfg.MODEL.CLIP_WEIGHTS, dtype)
    _asked.append(wanted)
    if wanted in _kept and not draws:
        return _own(wanted)
    before, common = torch.get_rng_state(), shared.current()
    if common is None:
        return _loaded(wanted)
    digest = hashlib.sha256(before.numpy().tobytes()).hexdigest()
    key = f"random state after CLIP | {torch.__version__} | {wanted} | {digest}"
    after = common.look(key)
    if after is not None and wanted in _kept:
        torch.set_rng_state(after["state"])
        return _own(wanted)
    model = _loaded(wanted)
    if after is None:
        common.keep(key, {"state": torch.get_rng_state()})
    return model


def _loaded(wanted: Wanted) -> Backbone:
    """A model just built; where others will want a copy of it, one is kept."""
    model = _load(wanted)
    if _copied and wanted not in _kept:
        _remember(wanted, [copy.deepcopy(model)])
    return model


def _own(wanted: Wanted) -> Backbone:
    """A kept model for whoever asks, one of those that are left: the last small one is copied."""
    models = _kept[wanted]
    if _copied or (len(models) == 1 and _is_small(models[0])):
        return copy.deepcopy(models[0])
    model = models.pop()
    if not models:
        del _kept[wanted]
    return model


def _is_small(model: Backbone) -> bool:
    return sum(t.numel() * t.element_size() for t in model.parameters()) <= SMALL


def asked() -> list[Wanted]:
    """Which CLIPs this process has asked for so far."""
    return list(_asked)


def give_copies() -> None:
    """From now on several runs of this process may have the same CLIP, each a copy of it."""
    global _copied
    _copied = True


def keep(wanted: Wanted) -> None:
    """Load a CLIP, if it is not there, for the runs that will be forked from this process.

    Random states stay as they are.
    """
    if wanted not in _kept:
        state = torch.get_rng_state()
        model = _load(wanted)
        more = MOST_ASKED - 1 if _is_small(model) else 0
        _remember(wanted, [model, *(copy.deepcopy(model) for _ in range(more))])
        torch.set_rng_state(state)
    _kept.move_to_end(wanted)


def _remember(wanted: Wanted, models: list[Backbone]) -> None:
    """Keep models; those used longest ago make room."""
    _kept[wanted] = models
    while len(_kept) > MOST_KEPT:
        _kept.popitem(last=False)


def _wanted(name: str, weights: str, dtype: torch.dtype) -> Wanted:
    try:
        path = weights_in(Path(weights or name).expanduser())
        stat = os.stat(path)
        file = f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns}"
    except (OSError, UserError):
        file = ""
    return Wanted(name, weights, str(dtype).removeprefix("torch."), file)


def _load(wanted: Wanted) -> Backbone:
    model = load_clip(wanted.name, wanted.weights)
    model.cast(getattr(torch, wanted.dtype))
    return model
