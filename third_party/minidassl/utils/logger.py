"""Send what is printed to a log file as well."""

from __future__ import annotations

import os
import sys
import time
from typing import Any, TextIO


class Logger:
    """A stand-in for ``sys.stdout`` that writes to the console and to a file.

    The file is written line by line, so that it is complete up to the last line after a crash.
    Closing it leaves the console open.

    Args:
        fpath: Log file to create, or None for the console only.
    """

    def __init__(self, fpath: str | None = None) -> None:
        self.console: TextIO = sys.stdout
        self.file: TextIO | None = None
        if fpath is not None:
            os.makedirs(os.path.dirname(fpath) or ".", exist_ok=True)
            self.file = open(fpath, "w", buffering=1, encoding="utf-8")

    def __enter__(self) -> Logger:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        # isatty, encoding, fileno ... are the console's business
        if name == "console":
            raise AttributeError(name)
        return getattr(self.console, name)

    def write(self, msg: str) -> int:
        """Write text to both.

        Args:
            msg: The text.

        Returns:
            Number of characters.
        """
        self.console.write(msg)
        if self.file is not None:
            self.file.write(msg)
        return len(msg)

    def flush(self) -> None:
        """Push buffered text out of both."""
        self.console.flush()
        if self.file is not None:
            self.file.flush()

    def close(self) -> None:
        """Close the file; later text goes to the console only."""
        if self.file is not None:
            self.file.close()
            self.file = None


def setup_logger(output: str | None = None) -> None:
    """Copy everything printed from now on into a log file.

    Args:
        output: Folder (the file is ``log.txt`` in it) or a ``.txt`` or ``.log`` file; None does
            nothing. An existing file is kept: the new one gets the time in its name.
    """
    if output is None:
        return
    is_file = output.endswith((".txt", ".log"))
    fpath = output if is_file else os.path.join(output, "log.txt")
    while os.path.exists(fpath):
        fpath += time.strftime("-%Y-%m-%d-%H-%M-%S")
    sys.stdout = Logger(fpath)
