"""Errors a user can cause, each saying in one sentence what is wrong and what to do."""

from __future__ import annotations

_WORKER_PREFIX = "Caught DataError in DataLoader worker"


def _sentence(message: str) -> str:
    """Undo the wrapping that a data-loader worker puts around an error.

    A worker re-raises with its whole traceback as the message; the sentence the user needs is on
    the last line that names this class.
    """
    if not message.startswith(_WORKER_PREFIX):
        return message
    marker = f"{DataError.__name__}: "
    lines = [line for line in message.splitlines() if marker in line]
    return lines[-1].split(marker, 1)[1] if lines else message


class DataError(Exception):
    """Data on disk, or a list of samples, is not usable (missing, corrupt, labels wrong).

    The sentence survives a data-loader worker process: what the main process sees is what the
    worker raised.

    Args:
        message: One sentence naming the path or label and what to do about it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(_sentence(message))


class ConfigError(ValueError):
    """A config value is not among the allowed ones."""
