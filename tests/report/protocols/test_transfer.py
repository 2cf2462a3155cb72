"""Source, targets and their average, of cross-dataset transfer and of domain generalisation."""

import pytest

from npt_plugin.report.protocols.transfer import CrossDataset, DomainGeneralisation
from npt_plugin.report.results import results_of
from npt_plugin.runs.collect import find_runs
from npt_plugin.runs.layout import Place
from npt_plugin.sweep.protocols import VARIANTS

CROSS, GENERALISATION = CrossDataset(), DomainGeneralisation()


def results(table, output):
    return results_of(table, find_runs(output))


@pytest.fixture
def transfers(write):
    def call(trainer, seed, plus=0.0, targets=("dtd", "sun397", *VARIANTS)):
        rest = (16, 1.0, trainer, "cfg", seed)
        write(Place("xd", "train", "imagenet", *rest), 70.0 + plus)
        for place, target in enumerate(targets):
            write(Place("xd", "test_from_imagenet", target, *rest), 60.0 + place + plus)

    return call


def test_cross_dataset_and_generalisation_share_the_training(tmp_path, transfers):
    transfers("CoOp", 1)
    cross, variants = results(CROSS, tmp_path), results(GENERALISATION, tmp_path)
    assert cross.columns == ("source", "dtd", "sun397", "average of 2")
    assert [cross.summary[0][c] for c in cross.columns] == [70.0, 60.0, 61.0, 60.5]
    assert variants.columns == ("source", *VARIANTS, "average of 4")
    assert [variants.summary[0][c] for c in variants.columns] == [
        70.0,
        62.0,
        63.0,
        64.0,
        65.0,
        63.5,
    ]
    assert cross.summary[0]["trained on"] == "imagenet"


def test_a_target_that_is_missing_takes_the_average_with_it(tmp_path, transfers):
    transfers("CoOp", 1)
    transfers("NPT_CoOp", 1, plus=1.0, targets=("dtd",))
    made = results(CROSS, tmp_path)
    ours = made.summary[1]
    assert ours["sun397"] is None and ours["average of 2"] is None and ours["dtd"] == 61.0
    (difference,) = made.differences
    assert difference["dtd"] == 1.0 and difference["average of 2"] is None
    assert results(GENERALISATION, tmp_path).differences == []  # no variant was tested


def test_differences_of_a_transfer_are_paired_by_seed(tmp_path, transfers):
    for seed, plus in ((1, 1.0), (2, 3.0)):
        transfers("CoOp", seed)
        transfers("NPT_CoOp", seed, plus)
    (difference,) = results(CROSS, tmp_path).differences
    assert difference["average of 2_values"] == [1.0, 3.0] and difference["source"] == 2.0
