"""Shared by the tests of commands: finished runs with a classifier head."""

from pathlib import Path

import pytest

RUNS = {
    "probe": ("LinearProbe",),
    "linear": ("LinearProbe", "TRAINER.HEAD.NAME", "linear"),
    "decoder": ("Decoder", "TRAINER.HEAD.NAME", "linear", "TRAINER.HEAD.INIT", "random"),
    "named": ("Decoder", "TRAINER.HEAD.NAME", "text"),
    "prompted": ("GNM_PT",),
}


@pytest.fixture
def headed_run(first_stages, request) -> Path:
    """A finished run by its name in ``RUNS``; what a test writes goes elsewhere."""
    return first_stages(*RUNS[request.param])
