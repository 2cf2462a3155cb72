from __future__ import annotations

from npt_plugin.datasets.archives_large import ENTRIES


def test_what_needs_an_account_or_has_no_link_says_what_to_do() -> None:
    for entry in ENTRIES:
        fetched = [part for part in entry.parts if part.into is not None]
        if not fetched:
            assert entry.manual, entry.name
    assert {e.name for e in ENTRIES if not any(p.into for p in e.parts)} == {
        "ImageNet",
        "ImageNetSketch",
        "ImageNetLT",
        "PlacesLT",
    }


def test_one_file_of_class_names_serves_imagenet_and_its_variants() -> None:
    names = {p.gdrive for e in ENTRIES for p in e.parts if p.file.endswith("/classnames.txt")}
    assert len(names) == 1
    have = {e.name for e in ENTRIES if any("classnames.txt" in p.file for p in e.parts)}
    assert have == {n.name for n in ENTRIES if n.name.startswith("ImageNet")}
