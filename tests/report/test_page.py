"""One HTML file: escaped, closed, without links."""

from npt_plugin.report.page import figure_html, has_pictures, list_html, page, table_html


def test_cells_are_escaped_and_ours_stand_out():
    text = table_html((["<a>"], [["NPT_CoOp"], ["<b>&"]]))
    assert "<th>&lt;a&gt;</th>" in text and "<td>&lt;b&gt;&amp;</td>" in text
    assert text.count('class="ours"') == 1 and text.startswith('<div class="scroll">')


def test_a_picture_is_inside_the_page():
    figure = figure_html(b"\x89PNG", 'a "b"')
    assert 'src="data:image/png;base64,iVBORw=="' in figure and "&quot;b&quot;" in figure


def test_pictures_are_recognised():
    assert has_pictures(page("t", [("Pictures", figure_html(b"x", ""))]))
    assert not has_pictures(page("<figure>", [("figure", list_html(["<figure>"]))]))
