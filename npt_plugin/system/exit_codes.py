"""How every command ends: one sentence where something went wrong, and a telling exit code."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from typing import Any

from npt_plugin.errors import user_errors
from npt_plugin.system.ranks import Lost, first_to_end
from npt_plugin.system.signals import Stopped

OK, FAILED, USER, INTERRUPTED = 0, 1, 2, 130
"""0 done; 1 the run itself failed (a loss that is not finite, no memory left); 2 a mistake the
user can mend; 128 + the signal's number where a signal ended the run."""

_CANNOT_WRITE = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EFBIG,
    errno.EIO,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.EMFILE,
    errno.ENAMETOOLONG,
    errno.ELOOP,
)


def exit_code(action: Callable[..., Any], *arguments: Any) -> int:
    """Call ``action``; 0, or the exit code of what went wrong after printing one sentence.

    Args:
        action: Returns an exit code, or anything else for 0.
        arguments: For ``action``.
    """
    try:
        done = action(*arguments)
    except BrokenPipeError:  # `npt list losses | head`: whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except (KeyboardInterrupt, Stopped) as error:
        return _say(str(error) or "interrupted", getattr(error, "code", INTERRUPTED))
    except Exception as error:
        sentence, code = _explain(error)
        if not sentence:
            first, code = first_to_end(f"{type(error).__name__}: {error}", FAILED)
            if not first:
                return code
            raise
        return _say(sentence, code)
    return done if type(done) is int else OK


def _explain(error: Exception) -> tuple[str, int]:
    """One sentence and an exit code for the errors that are no fault of the program."""
    if isinstance(error, user_errors()):
        return str(error), USER
    if isinstance(error, Lost):
        return str(error), error.code
    if isinstance(error, FloatingPointError):
        return str(error), FAILED
    if isinstance(error, OSError) and error.errno in _CANNOT_WRITE:
        where = f" {error.filename}" if error.filename else ""
        return f"Cannot read or write{where}: {error.strerror}.", USER
    if isinstance(error, RuntimeError) and "torchvision::" in str(error):  # while it is imported
        return (
            f"The installed torch and torchvision do not fit together ({error}): install both "
            "anew, from one place: pip install --force-reinstall torch torchvision.",
            USER,
        )
    if isinstance(error, _out_of_memory()):
        return (
            "Out of memory: lower DATALOADER.TRAIN_X.BATCH_SIZE, set MODEL.TEXT_CHUNK -1, or take "
            "a smaller backbone.",
            FAILED,
        )
    return "", FAILED


def _out_of_memory() -> tuple[type[Exception], ...]:
    """Python's error and, where PyTorch is loaded, its own."""
    torch = sys.modules.get("torch")
    return (MemoryError,) if torch is None else (MemoryError, torch.cuda.OutOfMemoryError)


def _say(sentence: str, code: int) -> int:
    first, code = first_to_end(sentence, code)  # of several processes one speaks
    if first:
        print(f"error: {' '.join(sentence.split())}", file=sys.stderr)
    return code
