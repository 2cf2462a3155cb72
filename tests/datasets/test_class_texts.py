"""Several texts a class: CLIP's seven templates, one's own, descriptions; what is refused."""

import json

import pytest

from npt_plugin.datasets.class_texts import CLIP7, class_texts
from npt_plugin.errors import UserError

NAMES = ["red_kite", "Boat"]


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "texts.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


def test_clips_seven_templates_are_the_default():
    found = class_texts("", NAMES)
    assert len(CLIP7) == 7 and found[0][0] == "itap of a red kite."
    assert [len(texts) for texts in found] == [7, 7] and found[1][6] == "a photo of the small Boat."


def test_a_list_is_of_templates(file):
    assert class_texts(file(["a {}", "{} at sea"]), NAMES) == [
        ["a red kite", "red kite at sea"],
        ["a Boat", "Boat at sea"],
    ]


def test_an_object_describes_each_class_in_any_spelling(file, capsys):
    held = {"boat": ["It floats.", "It has {sails}."], "Red Kite": ["A bird."], "tree": ["Green."]}
    assert class_texts(file(held), NAMES) == [["A bird."], ["It floats.", "It has {sails}."]]
    assert "entries of 1 names that are no class here are left out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[", "cannot be read as JSON"),
        ([], "must hold a list of templates, or an object"),
        (3, "must hold a list of templates, or an object"),
        (["a photo"], "holds the template 'a photo'; each must be a text with one {}"),
        (["{} {}"], "one {}"),
        (["a {} of {x}"], "one {}"),
        ([3], "one {}"),
        ({"boat": ["It floats."]}, "no entry for the class 'red_kite'"),
        ({"boat": [], "red kite": ["A bird."]}, "a list of texts for 'Boat'"),
        ({"boat": "It floats.", "red kite": ["A bird."]}, "a list of texts for 'Boat'"),
        ({"boat": ["a"], "Boat": ["b"], "red kite": ["c"]}, "in two spellings"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(file, content, said):
    with pytest.raises(UserError, match=said):
        class_texts(file(content), NAMES)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(UserError, match="TEST.TEXTS is 'gone.json', which is no file"):
        class_texts("gone.json", NAMES)
