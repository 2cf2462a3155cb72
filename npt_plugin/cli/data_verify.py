"""``npt data verify``, and the same check after a download."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from npt_plugin.config import extend_cfg
from npt_plugin.datasets.catalogue import CATALOGUE
from npt_plugin.datasets.names import reader
from npt_plugin.datasets.verify import Problem, load_source, verify
from npt_plugin.engine.framework import get_cfg_default
from npt_plugin.runs.settings import merge_options


def data_cfg(name: str, root: str, opts: Sequence[str] = ()) -> Any:
    """Config that a dataset is read with.

    Args:
        name: Registry name.
        root: ``DATASET.ROOT``.
        opts: ``KEY value`` pairs.
    """
    cfg = extend_cfg(get_cfg_default())
    cfg.DATASET.NAME, cfg.DATASET.ROOT, cfg.SEED = name, root, 1
    merge_options(cfg, list(opts))
    cfg.freeze()
    return cfg


def check(
    name: str, root: str, opts: Sequence[str] = (), decode: bool = True
) -> tuple[list[str], list[Problem]]:
    """Facts and problems of a dataset, the sizes of its published split among them.

    Args:
        name: Registry name.
        root: ``DATASET.ROOT``.
        opts: ``KEY value`` pairs.
        decode: Also decode every image.
    """
    published = CATALOGUE[name].counts if name in CATALOGUE else None
    return verify(load_source(reader(name), data_cfg(name, root, opts)), decode, published)


def report(
    name: str, facts: Sequence[str], problems: Sequence[Problem], every: bool = False
) -> int:
    """Print facts and problems.

    Args:
        name: Registry name.
        facts: Lines.
        problems: Of any number of kinds.
        every: List every case of every problem.

    Returns:
        Exit code: 1 if there is a problem.
    """
    print(name)
    shown = {"shown": sys.maxsize} if every else {}
    for line in (*facts, *(line for problem in problems for line in problem.lines(**shown))):
        print(f"  {line}")
    number = sum(problem.number for problem in problems)
    print(f"  {number:,} problem(s)" if problems else "  no problem found")
    return 1 if problems else 0
