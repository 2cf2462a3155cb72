"""Checks of config values name the key, the value and what is allowed."""

from __future__ import annotations

import pytest
import torch

from npt_plugin.errors import UserError
from npt_plugin.system.options import check_counts, in_range, one_of


def test_one_of():
    assert one_of("A.B", "x", ("x", "y")) == "x"
    with pytest.raises(UserError, match=r"^A\.B is 'z'; choose one of x, y\.$"):
        one_of("A.B", "z", iter(("x", "y")))


@pytest.mark.parametrize("value", [0, 0.5, 1])
def test_in_range(value):
    assert in_range("A.B", value, 0, 1) == value


@pytest.mark.parametrize("value", [-1, 1.5, float("nan"), float("inf")])
def test_out_of_range(value):
    with pytest.raises(UserError, match=f"A.B is {value}; it must be between 0 and 1"):
        in_range("A.B", value, 0, 1)
    with pytest.raises(UserError, match="it must be at least 2"):
        in_range("A.B", min(value, 1) if value == value else value, 2)


def test_counts_become_float64_and_keep_their_values():
    counts = check_counts(torch.tensor([3, 1, 2**40 + 1]))
    assert counts.dtype == torch.float64 and counts.tolist() == [3, 1, 2**40 + 1]


@pytest.mark.parametrize(
    "counts, said", [([2, 0, 0], "class 1, 2 has no"), ([[1]], r"\(K,\), got shape \(1, 1\)")]
)
def test_counts_that_are_refused(counts, said):
    with pytest.raises(ValueError, match=said):
        check_counts(torch.tensor(counts))
    with pytest.raises(ValueError, match="got shape"):
        check_counts(torch.tensor([]))
