"""A run of two or three processes is the run of one: real torchrun, gloo, one CPU."""

from __future__ import annotations

import pytest
import several_processes as table
import torch
from tolerance import gap

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=[2, 3])
def several(request, torchrun, pets_root, small_clip_file, tmp_path_factory):
    """``several("float64")``: what each process of a run learned, row by row."""
    out = tmp_path_factory.mktemp("several")
    done = torchrun(request.param, table.__file__, pets_root, small_clip_file, out)
    assert done.returncode == 0, done.stdout + done.stderr

    def found(precision):
        files = [out / f"{precision}.{rank}.pt" for rank in range(request.param)]
        return [torch.load(file, weights_only=True) for file in files]

    return found


@pytest.fixture(scope="module")
def known():
    """Fills with what runs of one process learn, which is the same for 2 and for 3."""
    return {}


@pytest.fixture
def alone(known, make_trainer, tmp_path):
    """``alone("float64", nudge)``: what one process learns, row by row."""

    def learn(precision, nudge=0.0):
        key = precision, nudge
        if key not in known:
            known[key] = table.learn(make_trainer, tmp_path / str(nudge), nudge=nudge)
        return known[key]

    return learn


def furthest(found, wanted):
    """How far the tensors of a row part, of the largest number in each."""
    return max(gap(tensor.double(), wanted[name].double()) for name, tensor in found.items())


@pytest.mark.numerics
def test_float64(several, alone):
    wanted = alone("float64")
    for process in several("float64"):
        for name in table.CASES:
            assert furthest(process[name], wanted[name]) < 1e-12, name


@pytest.mark.numerics(single=True)
def test_float32(several, alone):
    """Within 1e-6, or as near as one process is to itself when its start is rounded differently.

    Twenty steps multiply a rounding by what the network makes of it, 10 for some rows, 1000 for
    others; the second run of one process measures that.
    """
    wanted, nudged = alone("float32"), alone("float32", nudge=1.2e-7)
    for process in several("float32"):
        for name in table.CASES:
            bound = max(1e-6, 4 * furthest(nudged[name], wanted[name]))
            assert furthest(process[name], wanted[name]) < bound, name
