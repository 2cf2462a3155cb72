"""One look, files that do not change, and a sentence without matplotlib."""

import sys
import xml.etree.ElementTree as ElementTree

import pytest

from npt_plugin.errors import UserError
from npt_plugin.plots.style import COLOURS, MARKERS, colour, marker, new_figure, png, save, short


def test_colours_and_shapes_go_round():
    assert colour(len(COLOURS)) == colour(0) and marker(len(MARKERS) + 1) == marker(1)
    assert len(set(COLOURS)) == len(COLOURS) and len(set(MARKERS)) == len(MARKERS)


def test_names_are_cut():
    assert short(["red_kite", "a" * 30], 10) == ["red kite", "a" * 9 + "…"]


def test_the_same_figure_gives_the_same_files(tmp_path):
    written = []
    for name in ("a", "b"):
        figure, (axis,) = new_figure()
        axis.plot([1, 2], [3, 4], label="line")
        figure.legend()
        written.append(save(figure, tmp_path / name, "picture"))
    for first, second in zip(*written, strict=True):
        assert first.read_bytes() == second.read_bytes()
    assert png(figure).startswith(b"\x89PNG")
    assert ElementTree.parse(tmp_path / "a/picture.svg").getroot().tag.endswith("svg")


def test_without_matplotlib_it_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UserError, match="pip install matplotlib"):
        new_figure()
