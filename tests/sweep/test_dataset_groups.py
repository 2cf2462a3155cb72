"""Words for groups of datasets."""

from npt_plugin.runs.configs import configs_folder, dataset_config
from npt_plugin.sweep.dataset_groups import GROUPS, with_groups


def test_every_dataset_of_a_group_has_a_file():
    for names in GROUPS.values():
        for name in names:
            assert dataset_config(name, configs_folder()).stem == name


def test_a_dataset_named_twice_counts_once():
    assert with_groups(["fewshot10", "dtd", "mine"]) == [*GROUPS["fewshot10"], "mine"]
    assert len(with_groups(["fewshot11"])) == 11
