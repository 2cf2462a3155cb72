"""What runs of one sweep share, bit for bit: whatever one has computed, the next reads.

A run by hand shares nothing. The workers of a sweep name a folder (:func:`sharing`); what is kept
there lies under a key of everything the result depends on, so a run gets what it would have
computed itself. Processes may come and go: of two that want the same, one computes and the other
waits; a damaged file is removed and computed again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import safetensors.torch
import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError
from torch import Tensor

from npt_plugin.system.files import write_atomically

Tensors = dict[str, Tensor]

_DIGEST = 64  # hex digits in front of the content


class Shared:
    """A folder of results by key.

    Args:
        folder: Made when the first result is written.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def recall(self, key: str, make: Callable[[], Tensors]) -> Tensors:
        """What is kept under ``key``, or what ``make`` computes, kept for others.

        Args:
            key: Says all that the result depends on.
            make: Called without arguments; its tensors come back on the CPU.

        Raises:
            UserError: If the folder cannot be written.
        """
        found = self.look(key)
        if found is None:
            end = self.claim(key, wait=True) or _nothing
            try:
                found = self.look(key)  # somebody else was here first
                if found is None:
                    found = {name: tensor.cpu() for name, tensor in make().items()}
                    self.keep(key, found)
            finally:
                end()
        return found

    def look(self, key: str) -> Tensors | None:
        """What is kept under ``key``, or None."""
        return _read(self._path(key))

    def has(self, key: str) -> bool:
        """Whether something is kept under ``key``; it may still turn out to be damaged."""
        return self._path(key).exists()

    def keep(self, key: str, tensors: Tensors) -> None:
        """Keep tensors under ``key``.

        Raises:
            UserError: If the folder cannot be written.
        """
        _write(self._path(key), tensors)

    def claim(self, key: str, wait: bool = False) -> Callable[[], None] | None:
        """Become the only one who computes ``key``.

        A process that dies gives up its claims. Where a file system has no locks everybody may
        compute: twice is no harm.

        Args:
            key: What is to be computed.
            wait: Until whoever computes it has ended.

        Returns:
            What ends the claim; None if another process has it, and ``wait`` is not set.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._path(key).with_suffix(".lock"), fallback_to_soft=False)
        try:
            lock.acquire(blocking=wait)
        except Timeout:
            return None
        except (OSError, NotImplementedError):
            return _nothing
        return lock.release

    def _path(self, key: str) -> Path:
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.bin"


def _nothing() -> None:
    """Where there was no lock."""


_current: Shared | None = None


def current() -> Shared | None:
    """Where this process shares, if it does."""
    return _current


@contextmanager
def sharing(folder: str | Path) -> Iterator[None]:
    """Let the runs inside the ``with`` block share ``folder``."""
    global _current
    before, _current = _current, Shared(folder)
    try:
        yield
    finally:
        _current = before


def _write(path: Path, tensors: Tensors) -> None:
    content = safetensors.torch.save({name: t.contiguous() for name, t in tensors.items()})
    head = hashlib.sha256(content).hexdigest().encode()
    # what a crash of the machine leaves is damaged or whole, and so no reason to wait for the disk
    write_atomically(path, lambda file: (file.write(head), file.write(content)), sync=False)


def _read(path: Path) -> Tensors | None:
    """Tensors with memory of their own; None after removing a damaged file."""
    try:
        whole = path.read_bytes()
    except OSError:
        return None
    head, content = whole[:_DIGEST], whole[_DIGEST:]
    if hashlib.sha256(content).hexdigest().encode() == head:
        try:
            return {name: torch.clone(t) for name, t in safetensors.torch.load(content).items()}
        except SafetensorError:
            pass
    path.unlink(missing_ok=True)
    return None
