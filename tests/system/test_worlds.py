"""What is global in a process, kept apart for several runs."""

import io
import random
import sys

import numpy as np
import torch

from npt_plugin.system.worlds import World


def draw():
    return [random.random(), float(np.random.rand()), float(torch.rand(()))]


def test_each_world_draws_its_own_numbers_and_writes_to_its_own_place(monkeypatch):
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    outside = World()
    expected = [draw() for _ in range(4)]
    outside.restore()
    one, other = World(), World()
    places = [io.StringIO(), io.StringIO()]
    for number in (0, 1):
        for world, place in zip((one, other), places, strict=True):
            with world.entered():
                assert draw() == expected[number]
                sys.stdout = place
    with one.entered():
        print("one")
        assert draw() == expected[2]
    assert [place.getvalue() for place in places] == ["one\n", ""]
    outside.restore()
    assert sys.stdout not in places and draw() == expected[0]


def test_a_world_is_kept_where_something_goes_wrong_in_it():
    world = World()
    try:
        with world.entered():
            expected = [draw(), draw()][1]
            world.restore()
            draw()
            raise KeyError
    except KeyError:
        pass
    torch.manual_seed(1)
    with world.entered():
        assert draw() == expected
