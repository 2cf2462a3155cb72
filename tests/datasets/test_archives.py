"""The form of a catalogue entry."""

import dataclasses

import pytest

from npt_plugin.datasets.archives import Bundle, Entry, Mirror, Part


def test_what_tells_a_good_copy_is_said_in_words():
    assert Mirror("publisher", md5="0" * 32).checked_by == "md5"
    assert Mirror("publisher", sha256="0" * 64, bytes=3).checked_by == "sha256"
    assert Mirror("publisher", bytes=3).checked_by == "size"
    assert Mirror("publisher").checked_by == "its format only"


def test_an_entry_is_automatic_where_everything_comes_from_somewhere():
    expects = ("x/images", "x/split.json")
    split = Part("x/split.json", (Mirror("drive", gdrive="1"),), ("x/split.json",))
    entry = Entry("Name", "Title", "1 GB", "free", expects, (split,))
    assert not entry.automatic and entry.folder == "x"
    assert dataclasses.replace(entry, bundle=Bundle(Mirror("huggingface"), 1)).automatic
    images = Part("x.zip", (Mirror("publisher"),), ("x/images",), into="x")
    assert dataclasses.replace(entry, parts=(split, images)).automatic


def test_nothing_can_be_changed_by_a_reader():
    mirror = Mirror("publisher")
    part = Part("a.zip", (mirror,), ())
    entry = Entry("Name", "Title", "1 GB", "free", ("name",), (part,))
    for thing, field in ((mirror, "md5"), (part, "file"), (entry, "parts")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, field, "x")
