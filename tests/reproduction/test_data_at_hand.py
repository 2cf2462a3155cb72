"""Which datasets are there: on miniature trees in the real layouts of all eleven."""

import mini_trees
import pytest

from npt_plugin.registration import register_all
from npt_plugin.reproduction.data_at_hand import Verified, verify_datasets, with_data
from npt_plugin.reproduction.tables import TABLES
from npt_plugin.runs.configs import configs_folder


@pytest.fixture(scope="module")
def eleven(tmp_path_factory):
    """A root with small copies of all eleven datasets but EuroSAT."""
    register_all(base=True)
    root = tmp_path_factory.mktemp("eleven")
    for name in {*mini_trees.BUILDERS} - {*mini_trees.TEST_ONLY, "EuroSAT"}:
        mini_trees.BUILDERS[name](root)
    return root


def test_absent_ones_and_other_splits_are_told(eleven):
    jobs = TABLES["cocoop-table2"].grid(str(eleven), "out").jobs()
    found = verify_datasets(jobs, configs_folder())
    assert [name for name, one in found.items() if not one.there] == ["eurosat"]
    assert found["dtd"].as_published is False and found["dtd"].counts.startswith("5 classes")
    assert len(found["dtd"].split) == 12 and found["dtd"].problems == 0
    at_hand = with_data(jobs, found)
    assert len(at_hand) == 70 and "eurosat" not in {job.dataset for job in at_hand}


def test_targets_that_are_absent_are_left_out():
    jobs = TABLES["cocoop-domain"].grid("", "out").jobs()
    names = ("imagenet", *jobs[0].targets)
    there = {name: Verified(name in ("imagenet", "imagenet_a")) for name in names}
    assert {job.targets for job in with_data(jobs, there)} == {("imagenet_a",)}
    assert with_data(jobs, {**there, "imagenet": Verified(False)}) == []
    assert with_data(jobs, {**there, "imagenet_a": Verified(False)}) == []
