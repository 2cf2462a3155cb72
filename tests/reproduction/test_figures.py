"""The published numbers, as places in our own tables."""

import pytest

from npt_plugin.report.averaging import H_OF_AVERAGES, MEAN_OF_H
from npt_plugin.reproduction.figures import figures_of, place_in_report
from npt_plugin.reproduction.tables import TABLES


@pytest.mark.parametrize(
    "name, number",
    [
        ("cocoop-table2", 3 * 12 * 3),
        ("maple-base2new", 12 * 3),
        ("coop-fewshot", 1),
        ("cocoop-cross-dataset", 2),
        ("cocoop-domain", 2 * 5),
        ("npt-imbalanced", 2 * 3),
        ("lift-longtail", 6),
        ("imbalance-vlm", 2),
    ],
)
def test_every_table_has_its_numbers_with_a_source(name, number):
    figures = figures_of(TABLES[name])
    assert len(figures) == number and len(set(figures)) == number
    assert all(figure.source and 0 < figure.value < 100 for figure in figures)


def test_a_published_average_of_the_variants_is_the_mean_of_them():
    figures = figures_of(TABLES["cocoop-domain"])
    for trainer in ("CoOp", "CoCoOp"):
        *each, average = [f.value for f in figures if f.trainer == trainer]
        assert average == pytest.approx(sum(each) / 4, abs=0.006)


def test_each_average_is_compared_by_the_rule_it_fits():
    (*_, last) = figures_of(TABLES["cocoop-table2"])
    assert place_in_report(TABLES["cocoop-table2"], last) == (H_OF_AVERAGES.name, "H")
    (first, *_) = figures_of(TABLES["npt-imbalanced"])
    assert (first.trainer, first.tau, first.value) == ("MaPLe", 1.0, 78.25)
    assert place_in_report(TABLES["npt-imbalanced"], first) == (MEAN_OF_H.name, "H")


def test_places_of_other_protocols():
    one, *_, average = figures_of(TABLES["cocoop-domain"])
    assert place_in_report(TABLES["cocoop-domain"], one) == ("imagenet", "imagenetv2")
    assert place_in_report(TABLES["cocoop-domain"], average) == ("imagenet", "average of 4")
    (only,) = figures_of(TABLES["coop-fewshot"])
    assert place_in_report(TABLES["coop-fewshot"], only) == ("caltech101", "16 shots")


def test_what_was_tested_beside_the_result_is_a_column_of_its_own():
    figures = {figure.dataset: figure for figure in figures_of(TABLES["lift-longtail"])}
    places, insects = figures["places_lt"], figures["inaturalist2018"]
    assert (places.value, places.column) == (52.2, "accuracy (crops)")  # not ViT-L/14's 53.7
    assert (insects.value, insects.column) == (79.35, "accuracy")
    assert place_in_report(TABLES["lift-longtail"], places) == ("places_lt", "accuracy (crops)")
