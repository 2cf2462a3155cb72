"""A shape and a colour for each trainer."""

from npt_plugin.report.html.marks import key, mark


def test_neighbours_differ_in_shape_and_colour():
    drawn = [mark(i, "1", "2") for i in range(6)]
    assert len(set(drawn)) == 6 and len({m.partition(" d=")[2] for m in drawn}) == 6
    assert mark(7, "0", "0").startswith('<path class="mark c0"')


def test_the_key_names_every_shape():
    text = key(["CoOp", "NPT_CoOp"])
    assert text.count("<li>") == 2 and text.index("c0") < text.index("CoOp") < text.index("c1")
