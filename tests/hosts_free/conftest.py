"""Lets the tests of this folder import its helper modules, and cleans up after hosts' trainers."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def no_host_is_left():
    """A host's trainer that is still referenced would keep ``.half()`` switched off."""
    yield
    from npt_plugin.hosts import full_precision

    if full_precision._mode is not None:
        full_precision._mode.ignored = frozenset()
