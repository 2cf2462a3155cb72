"""Several runs in one process: what is global there and yet belongs to one run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from npt_plugin.system.random_state import rng_state, set_rng_state


class World:
    """Random states and standard output of one run, as they are where it is made."""

    def __init__(self) -> None:
        self._take()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Inside, they are in force and may change; afterwards they stay until others come."""
        self.restore()
        try:
            yield
        finally:
            self._take()

    def restore(self) -> None:
        """Put them in force."""
        set_rng_state(self._random)
        sys.stdout = self._stdout

    def _take(self) -> None:
        self._random, self._stdout = rng_state(), sys.stdout
