"""Fonts that have the letters, and a plain note where none has."""

import pytest
from matplotlib import font_manager

from npt_plugin.plots import letters
from npt_plugin.plots.style import new_figure, png

CHINESE = "猫"


def drawn(text):
    figure, (axis,) = new_figure(3, 2)
    axis.set_title(text)
    png(figure)
    notes = [t.get_text() for t in figure.texts if t.get_text() == letters.NOTE]
    return axis.title.get_fontfamily(), notes


def test_ordinary_names_are_left_alone():
    plain, notes = drawn("Ünï кошка ≤ …\nx")
    assert not notes and plain == drawn("cat")[0]


def test_a_family_with_the_letters_is_added():
    """Mathematics in a font that comes with matplotlib stands in for any script."""
    stix = next(f for f in font_manager.fontManager.ttflist if f.name == "STIXGeneral")
    letter = chr(min(letters._held(stix.fname) - letters._held("") - {10, 13}))
    family, notes = drawn(f"a {letter}")
    assert not notes and len(family) == len(drawn("a")[0]) + 1
    path = font_manager.findfont(font_manager.FontProperties(family=family[-1]))
    assert ord(letter) in letters._held(path)


def test_chinese_names_where_a_font_is_installed():
    if letters._family_with(frozenset({ord(CHINESE)})) is None:
        pytest.skip("no font of this machine has Chinese letters")
    family, notes = drawn(CHINESE)
    assert not notes and "Last Resort" not in family[-1]


def test_where_no_font_has_them_the_picture_says_so(monkeypatch, recwarn):
    monkeypatch.setattr(letters, "_family_with", lambda letters: None)
    assert drawn(CHINESE)[1] == [letters.NOTE]
    assert not [w for w in recwarn if "Glyph" in str(w.message)]


def test_a_damaged_font_holds_nothing(tmp_path):
    (tmp_path / "a.ttf").write_bytes(b"no font")
    assert letters._held(str(tmp_path / "a.ttf")) == frozenset()
