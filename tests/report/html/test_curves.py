"""A line a trainer, a panel a dataset, a bar where there is spread."""

import re
import xml.etree.ElementTree as ElementTree

from npt_plugin.report.html.curves import curves


def row(dataset, trainer, values, sd=1.0, over=()):
    found = {"dataset": dataset, "tau": 1.0, "trainer": trainer, "config": "", "over": list(over)}
    for name, value in values.items():
        found |= {name: value, f"{name}_sd": sd}
    return found


def test_points_are_at_their_accuracies():
    text = curves(
        [row("dtd", "CoOp", {"1 shot": 50.0, "2 shots": 60.0}, None)], ["1 shot", "2 shots"]
    )
    (points,) = re.findall(r'points="([^"]+)"', text)
    (x1, y1), (x2, y2) = ([float(v) for v in point.split(",")] for point in points.split())
    assert x1 < x2 and y1 > y2  # up is better
    grid = {float(t): float(y) for y, t in re.findall(r'y="([\d.]+)" dy="4"[^>]*>(\d+)<', text)}
    assert abs(grid[50.0] - y1) < 0.01 and abs(grid[60.0] - y2) < 0.01


def test_a_missing_column_leaves_a_gap_and_spread_a_bar():
    values = {"many": 80.0, "medium": None, "few": 20.0}
    text = curves([row("dtd", "CoOp", values)], ["many", "medium", "few"])
    assert text.count('class="mark c0" transform') - 1 == 2  # one more in the key
    assert text.count('<line class="line c0"') == 2
    for drawn in re.findall(r"<svg viewBox.*?</svg>", text):
        ElementTree.fromstring(drawn)


def test_many_datasets_show_their_averages_only():
    values = {"many": 80.0, "few": 20.0}
    rows = [row(f"d{i}", "CoOp", values) for i in range(13)]
    rows.append(row("average", "CoOp", values, over=[f"d{i}" for i in range(13)]))
    text = curves(rows, ["many", "few"])
    assert text.count("<figure>") == 1 and "<figcaption>average</figcaption>" in text


def test_one_column_is_no_curve():
    assert curves([row("dtd", "CoOp", {"16 shots": 50.0})], ["16 shots"]) == ""
    assert curves([row("dtd", "CoOp", {"many": None, "few": None})], ["many", "few"]) == ""


def test_averages_by_two_rules_that_agree_are_one_panel():
    head, other = {"many": 80.0, "few": 20.0}, {"many": 80.0, "few": 30.0}
    rules = ("average (H of averages)", "average (mean of H)")
    rows = [row("dtd", "CoOp", head), *(row(rule, "CoOp", head, over=["dtd"]) for rule in rules)]
    heads = re.findall("<figcaption>(.*?)</figcaption>", curves(rows, ["many", "few"]))
    assert heads == ["dtd", "average"]  # a dataset that agrees stays
    rows[-1] = row(rules[1], "CoOp", other, over=["dtd"])
    heads = re.findall("<figcaption>(.*?)</figcaption>", curves(rows, ["many", "few"]))
    assert heads == ["dtd", *rules]
