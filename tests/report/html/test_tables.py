"""Escaped cells, one line a setting above its trainers, strong only where told apart."""

from npt_plugin.report.html.tables import differences_html, plain_html, results_html

ROW = {"dataset": "dtd", "tau": 1.0, "shots": 16, "config": "cfg", "over": [], "n": 2}
ROW |= {"seeds": [1, 2]}


def result(trainer, h, **more):
    return {**ROW, "trainer": trainer, "H": h, "H_sd": 1.25, "H_values": [h, h], **more}


def test_trainers_stand_below_their_setting():
    rows = [result("CoOp", 50.0), result("NPT_CoOp", 60.0), result("CoOp", 70.0, dataset="<pets>")]
    text = results_html(rows, ["H"], "H")
    assert text.count('class="group"') == 2 and "<span>&lt;pets&gt;</span>" in text
    assert '<th scope="row">CoOp</th><td>50.0 <span class="spread">±&nbsp;1.2</span></td>' in text
    assert text.count("class=ours") == 1 and "H of each seed" in text and "1: 50.0, 2: 50.0" in text


def test_many_columns_put_the_spread_below():
    columns = [f"target_{i}" for i in range(12)]
    more = {
        f"{c}{end}": v
        for c in columns
        for end, v in (("", 5.0), ("_sd", 1.0), ("_values", [5.0] * 2))
    }
    assert "data tight" in results_html([result("CoOp", 50.0, **more)], columns)
    assert "target_<wbr>11" in results_html([result("CoOp", 50.0, **more)], columns)
    assert "data tight" not in results_html([result("CoOp", 50.0)], ["H"])


def test_only_differences_that_are_told_apart_are_strong():
    row = {**ROW, "comparison": "NPT_CoOp - CoOp", "base": 1.0, "base_interval": (0.5, 1.5)}
    row |= {"base_values": [1.0, 1.0], "H": 1.0, "H_interval": (-0.5, 2.5), "H_values": [0.0, 2.0]}
    text = differences_html([row], ["H", "base"], "H")
    assert text.count("<strong>") == 1
    assert '<strong>+1.0 <span class="spread">[+0.5, +1.5]</span></strong>' in text
    assert "1: +0.0, 2: +2.0" in text


def test_other_tables_are_escaped():
    text = plain_html((["<a>", "b", "c"], [["NPT_CoOp", "<b>&", "+1"]]))
    assert (
        "&lt;a&gt;</th>" in text
        and '<td class="text">&lt;b&gt;&amp;</td>' in text
        and "group" not in text
    )
    assert "<td>+1</td>" in text


def test_a_first_column_that_repeats_heads_its_rows():
    rows = [["average", "2SFS", "85.5", "ICML 21"], ["average", "CoOp", "-", "IJCV 22"]]
    text = plain_html((["dataset", "method", "H", "source"], rows))
    assert text.count('class="group"') == 1 and "dataset" not in text
    assert '<th scope="row">2SFS</th><td>85.5</td><td class="text">ICML 21</td>' in text
    assert "<td>-</td>" in text and '<th scope="col" class=text>source' in text


def test_names_break_at_underscores_only():
    assert '<th scope="row">NPT_<wbr>CoOp</th>' in results_html([result("NPT_CoOp", 60.0)], ["H"])
