from __future__ import annotations

from npt_plugin.datasets.source import Record
from npt_plugin.datasets.split_drift import new_classes, new_images

KNOWN = [Record("cat/1.jpg", 0, "cat"), Record("dog/1.jpg", 1, "dog")]


def test_nothing_new_is_nothing_said() -> None:
    found = {"cat": ["1.jpg"], "dog": [], "empty": []}  # what has gone is not looked for here
    assert new_classes(found, KNOWN, "s.json") == ""
    assert new_images(found, KNOWN, "s.json") == []


def test_classes_and_images_are_counted_apart() -> None:
    found = {"cat": ["0.jpg", "1.jpg"], "dog": ["1.jpg"], "owl": ["1.jpg", "2.jpg"]}
    sentence = new_classes(found, KNOWN, "s.json")
    assert "1 class folder(s) with 2 image(s)" in sentence and "'owl'" in sentence
    (line,) = new_images(found, KNOWN, "s.json")
    assert "1 image(s) came after 's.json'" in line and "'cat/0.jpg'" in line
