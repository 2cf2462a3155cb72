"""Progress bars that stay out of logs: only where somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from tqdm.auto import tqdm


def watched() -> bool:
    """Whether stderr is a terminal, or this is a notebook."""
    shell = sys.modules.get("IPython")
    kernel = shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"
    return kernel or sys.stderr.isatty()


def progress(iterable: Iterable[Any] | None = None, **options: Any) -> tqdm:
    """``tqdm`` that prints nothing into a file or pipe.

    Args:
        iterable: What to go through; None: call ``update``.
        options: As for ``tqdm``.
    """
    return tqdm(iterable, disable=not watched(), **options)
