"""A process in which nothing of PyTorch's has been changed by us yet."""

import pytest


@pytest.fixture
def untouched(monkeypatch):
    """Nothing replaced or added so far, and nothing left afterwards."""
    from npt_plugin.engine import full_precision, replaced

    full_precision._leave()
    full_precision._forget_storages()
    full_precision._alive.clear()
    monkeypatch.setattr(replaced, "_steps", [])
    yield
    replaced.undo_all()
