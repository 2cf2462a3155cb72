"""A file server, and waits that are too short to notice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from file_server import FileServer, serving

from npt_plugin.datasets import http_file


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving() as state:
        yield state


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once."""
    monkeypatch.setattr(http_file, "PAUSES", (0.0, 0.0))
