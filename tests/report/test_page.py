"""One HTML file: verdict first, everything inside, and a look at it in a real browser."""

import re

import pytest
from browser import browser, found

from npt_plugin.report.page import figures_html, has_pictures, page, results_section, section_html
from npt_plugin.report.results import all_results
from npt_plugin.report.sections import Section
from npt_plugin.report.write import report
from npt_plugin.runs.collect import find_runs
from npt_plugin.runs.layout import Place


def test_the_top_has_verdict_and_facts_before_any_table(runs):
    report(runs)
    text = (runs / "report.html").read_text()
    order = [
        "NPT_CoOp and CoOp are not told apart",
        "<dt>Written</dt>",
        "<dt>Backbone</dt><dd>Tiny",
    ]
    order += ["tau 0.06; 16 shots; seeds 1, 2, 3", "What the words mean", "<table", 'id="words"']
    places = [text.index(part) for part in order]
    assert places == sorted(places) and "<script" not in text and "<dt>H</dt>" in text


def test_h_comes_first_and_every_part_is_there(runs):
    (made,) = all_results(find_runs(runs))
    text = results_section(made)
    heads = [part.split("<")[0] for part in text.split('<th scope="col">')[1:]]
    assert heads[:4] == ["trainer", "H", "base", "new"]
    assert heads[10:15] == ["comparison", "H", "base", "new", "n"]
    assert text.count('class="forest"') == 3 and "Runs to look at" in text


def test_shots_keep_their_order_and_have_curves(tmp_path, write):
    for shots in (1, 4):
        for trainer in ("CoOp", "NPT_CoOp"):
            write(Place("few_shot", "", "dtd", shots, 1.0, trainer, "cfg", 1), 50.0 + shots)
    text = results_section(all_results(find_runs(tmp_path))[0])
    assert text.index(">1 shot<") < text.index(">4 shots<") and "Accuracy over shots" in text
    assert text.count("<polyline") == 2


def test_many_targets_have_the_forest_plot_of_their_average(tmp_path, write):
    for trainer in ("CoOp", "NPT_CoOp"):
        write(Place("xd", "train", "imagenet", 16, 1.0, trainer, "cfg", 1), 70.0)
        for target in ("a", "b", "c", "d", "e"):
            write(Place("xd", "test_from_imagenet", target, 16, 1.0, trainer, "cfg", 1), 50.0)
    text = results_section(all_results(find_runs(tmp_path))[0])
    assert text.count('class="forest"') == 1 and "average of 5: NPT_CoOp - CoOp" in text
    assert "<polyline" not in text


def test_other_sections_are_escaped():
    text = section_html(Section("<h>", "<c>", (["<a>"], [["<b>"]]), ["<l>"]))
    assert not {"<h>", "<c>", "<a>", "<b>", "<l>"} & set(text.replace("><", "> <").split())
    assert "<li>&lt;l&gt;</li>" in text


def test_a_picture_is_inside_the_page_and_recognised():
    figure = figures_html([(b"\x89PNG", 'a "b"')])
    assert 'src="data:image/png;base64,iVBORw=="' in figure and "&quot;b&quot;" in figure
    assert has_pictures(page("t", [], [], [figure])) and figures_html([]) == ""
    assert has_pictures("<figure><img alt=") and not has_pictures(
        page("<figure>", ["<figure>"], [], [])
    )


@pytest.fixture(scope="module")
def tab():
    if found() is None:
        pytest.skip("no Chromium with chromedriver on this machine")
    with browser() as opened:
        yield opened


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_in_a_browser(tab, runs, write_pair, write, width, scheme):
    """No message, no sideways scroll of the page, and the columns that matter on screen."""
    for seed in (1, 2, 3):
        for trainer in ("PromptSRC", "NPT_PromptSRC"):  # the longest names
            write_pair("oxford_pets", trainer, seed, 70.0 + seed, 60.0 - 9.0 * seed)
            write(Place("xd", "train", "imagenet", 16, 1.0, trainer, "cfg", seed), 70.0)
            for target in ("stanford_cars", "oxford_flowers", "fgvc_aircraft", *"abcdefg"):
                place = Place("xd", "test_from_imagenet", target, 16, 1.0, trainer, "cfg", seed)
                write(place, 50.0 + seed)
    report(runs, plots=False)
    tab.open(runs / "report.html", width, scheme)
    assert tab.console() == []
    assert tab.run("const e = document.documentElement; return e.scrollWidth - e.clientWidth") <= 0
    for table in (0, 1):  # results and differences
        right = tab.run(
            f"const table = document.querySelectorAll('table')[{table}];"
            "const heads = [...table.querySelectorAll('thead th')].slice(1, 4);"
            "return heads.map(h => [h.textContent, h.getBoundingClientRect().right])"
        )
        assert [name for name, _ in right] == ["H", "base", "new"]
        assert right[-1][1] <= tab.run("return document.documentElement.clientWidth"), right
    sideways = "[...document.querySelectorAll('.scroll')].map(e => e.scrollWidth - e.clientWidth)"
    assert width == 390 or max(tab.run(f"return {sideways}")) <= 0  # complete at 1280
    tab.run("document.querySelector('.scroll').scrollLeft = 200")
    at = "document.querySelector('tbody th[scope=row]').getBoundingClientRect().left"
    assert tab.run(f"return {at}") >= 0  # the trainer stays
    style = "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]"
    ink, paper = (int(re.search(r"\d+", colour).group()) for colour in tab.run(style))
    assert (ink < paper) == (scheme == "light"), (ink, paper)
