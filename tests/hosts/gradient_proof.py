"""Writes what ``npt_plugin.hosts.gradient`` finds in a run, for the test that started it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from npt_plugin.hosts.gradient import Comparison, Way, proving


@contextmanager
def proof_in(out: str, **way: object) -> Iterator[None]:
    """As ``proving``, one way; the comparison goes to the file ``out``."""

    def told(found: list[Comparison]) -> None:
        (comparison,) = found
        Path(out).write_text(json.dumps(asdict(comparison)))

    with proving(told, [Way(**way)]):
        yield
