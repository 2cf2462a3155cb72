"""Tolerances, worked out by hand."""

import math

import pytest

from npt_plugin.reproduction.figures import figures_of
from npt_plugin.reproduction.tables import TABLES
from npt_plugin.reproduction.tolerance import spread, tolerance


def figure(figures, trainer, dataset, column):
    (found,) = (
        f for f in figures if (f.trainer, f.dataset, f.column) == (trainer, dataset, column)
    )
    return found


@pytest.mark.parametrize(
    "dataset, column, sd",
    [
        ("dtd", "base", 1.0),
        ("dtd", "new", 2.0),
        ("eurosat", "base", 1.0),
        ("eurosat", "new", 3.9),  # its own
        ("average", "base", math.sqrt(2) / 2),
        ("average", "new", math.hypot(2.0, 3.9) / 2),
        # dH/db = 2 n^2 / (b + n)^2 = 2/9, dH/dn = 2 b^2 / (b + n)^2 = 8/9 at 80, 40
        ("dtd", "H", math.hypot(2 / 9 * 1.0, 8 / 9 * 2.0)),
    ],
)
def test_spreads_follow_from_those_that_are_stored(table, dataset, column, sd):
    figures = figures_of(table)
    assert spread(table, figure(figures, "CoOp", dataset, column), figures) == pytest.approx(sd)


def test_both_means_have_an_error(table):
    figures = figures_of(table)
    base = figure(figures, "CoOp", "dtd", "base")
    assert tolerance(table, base, figures, 3) == pytest.approx(2 * math.sqrt(2 / 3))
    assert tolerance(table, base, figures, 1) == pytest.approx(2 * math.sqrt(4 / 3))


def test_what_learns_nothing_has_the_floor_alone(table):
    figures = figures_of(table)
    assert tolerance(table, figure(figures, "ZeroshotCLIP", "eurosat", "new"), figures, 1) == 0.3


def test_published_spreads_are_in_the_tables():
    for name in ("cocoop-table2", "maple-base2new"):
        assert TABLES[name].known == {"dtd": {"new": 3.5}, "eurosat": {"new": 3.9}}


def test_the_direct_spread_of_averages_without_parts():
    figures = figures_of(TABLES["npt-imbalanced"])
    assert {spread(TABLES["npt-imbalanced"], f, figures) for f in figures} == {0.8}
