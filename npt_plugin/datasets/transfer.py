"""What several downloads at a time share: one bar for all bytes, one way to stop them."""

from __future__ import annotations

import threading

from npt_plugin.system.progress import progress


class Stop(Exception):
    """A download ends because all of them are to end."""


class Transfer:
    """Counts bytes of all downloads together, and tells them to stop.

    Args:
        expected: Bytes in all, roughly; 0 where nobody knows.
    """

    def __init__(self, expected: int = 0) -> None:
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._bar = progress(total=expected or None, unit="B", unit_scale=True, desc="downloading")

    def add(self, count: int) -> None:
        """Count bytes that arrived; fewer than 0 where some are thrown away.

        Raises:
            Stop: After :meth:`stop`.
        """
        with self._lock:
            self._bar.update(count)
        if self.stopped.is_set():
            raise Stop

    def say(self, line: str) -> None:
        """Print a line without tearing the bar."""
        with self._lock:
            self._bar.write(line)

    def stop(self) -> None:
        """End every download at its next bytes; what has arrived is kept."""
        self.stopped.set()

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()
