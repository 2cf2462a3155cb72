"""The form of a catalogue entry holds for every entry there is."""

import dataclasses

import pytest

from npt_plugin.datasets.archives import Entry, Part
from npt_plugin.datasets.archives_fewshot import ENTRIES as FEW_SHOT
from npt_plugin.datasets.archives_large import ENTRIES as LARGE


@pytest.mark.parametrize("entry", [*FEW_SHOT, *LARGE], ids=lambda entry: entry.name)
def test_every_entry_says_all_a_person_needs(entry):
    assert entry.title and entry.size and entry.licence and entry.expects
    for place in (*entry.expects, *(part.into or "" for part in entry.parts)):
        assert not place.startswith(("/", "..")), place  # below DATASET.ROOT
    for part in entry.parts:
        assert bool(part.url) != bool(part.gdrive), part  # from one place
        assert not part.md5 or len(part.md5) == 32
        assert not (part.strip or part.inner) or part.into is not None


def test_nothing_can_be_changed_by_a_reader():
    part = Part("a.zip")
    entry = Entry("Name", "Title", "1 GB", "free", ("name",), (part,))
    assert (part.into, part.md5, entry.manual) == (None, "", ())
    for thing, field in ((part, "md5"), (entry, "parts")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, field, "x")
