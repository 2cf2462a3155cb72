"""LIFT's rule of the bottleneck."""

import math

import pytest

from npt_plugin.tuning.rank import automatic_rank


@pytest.mark.parametrize("classes, rank", [(100, 4), (365, 8), (1000, 32), (8142, 256)])
def test_ranks_that_lift_reports_for_a_vit_of_twelve_blocks(classes, rank):
    assert automatic_rank(classes, 12) == rank


def test_it_is_the_largest_power_of_two_below_the_ratio():
    for layers in (1, 2, 12, 24):
        for classes in range(1, 600):
            assert automatic_rank(classes, layers) == 2 ** max(
                0, math.floor(math.log2(classes / (2 * layers)))
            )
