"""Write files so that a reader sees the old one or the new one, never half of one."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from npt_plugin.errors import UserError


def write_atomically(
    path: str | Path, write: Callable[[BinaryIO], object], sync: bool = True
) -> None:
    """Create or replace ``path`` with what ``write`` puts into a file object.

    Args:
        path: The file.
        write: Writes the content.
        sync: Whether to wait until the disk has it. If not, it outlives this process, but perhaps
            not the machine.

    Raises:
        UserError: If the folder cannot be written (read-only, full disk); nothing is left behind.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(temporary, "xb")  # readable by others as the user's umask has it
    except OSError as error:
        raise UserError(f"Cannot write {path}: {error.strerror or error}.") from None
    try:
        with file:
            write(file)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(f"Cannot write {path}: {error.strerror or error}.") from None
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str, sync: bool = True) -> None:
    """Write UTF-8 text as :func:`write_atomically` does."""
    write_atomically(path, lambda file: file.write(text.encode()), sync)


def write_json(path: str | Path, value: Any, sync: bool = True) -> None:
    """Write JSON as :func:`write_atomically` does, indented, keys in the given order."""
    write_text(path, json.dumps(value, indent=1) + "\n", sync)
