import math

import pytest

from npt_plugin.embedded.recipe import Recipe


def test_the_rate_warms_up_and_ends_at_zero():
    recipe = Recipe(steps=1000)
    assert recipe.rate(0) == pytest.approx(0.01)
    assert recipe.rate(49) == pytest.approx(0.5 * 0.5 * (1 + math.cos(math.pi * 0.049)))
    assert recipe.rate(99) == pytest.approx(0.5 * (1 + math.cos(math.pi * 0.099)))
    assert recipe.rate(500) == pytest.approx(0.5)
    assert recipe.rate(1000) == pytest.approx(0)


def test_the_whole_world_is_in_use_after_half_the_steps():
    recipe = Recipe(steps=1000)
    assert [recipe.reach(step) for step in (0, 250, 500, 999)] == [0.25, 0.625, 1, 1]


def test_patches_are_dropped_until_the_share_of_steps_asked_for():
    recipe = Recipe(steps=10, keep=27, sparse_until=0.6)
    assert [recipe.patches(step) for step in range(10)] == [27] * 6 + [None] * 4
