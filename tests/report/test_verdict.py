"""The sentence at the top says what the intervals allow, and no more."""

import pytest

from npt_plugin.report.results import all_results
from npt_plugin.report.verdict import verdicts
from npt_plugin.runs.collect import find_runs
from npt_plugin.runs.layout import Place


@pytest.fixture
def said(tmp_path):
    return lambda: [text for one in all_results(find_runs(tmp_path)) for text in verdicts(one)]


def pairs(write_pair, dataset, *gains, **more):
    for seed, gain in enumerate(gains, 1):
        write_pair(dataset, "CoOp", seed, 60.0, 60.0, **more)
        write_pair(dataset, "NPT_CoOp", seed, 60.0 + gain, 60.0 + gain, **more)


@pytest.mark.parametrize(
    "gains, lead",
    [
        ((2, 2.1, 1.9), "NPT_CoOp is above CoOp in base-to-new generalisation: H +2.0 ["),
        ((-2, -2.1, -1.9), "NPT_CoOp is below CoOp in base-to-new generalisation: H -2.0 ["),
        ((5, -4, 1), "NPT_CoOp and CoOp are not told apart in base-to-new generalisation: H"),
        ((9,), "One seed cannot tell NPT_CoOp from CoOp in base-to-new generalisation: H +9.0, "),
    ],
)
def test_the_interval_decides(write_pair, said, gains, lead):
    pairs(write_pair, "dtd", *gains)
    (text,) = said()
    assert text.startswith(lead) and ", dtd, tau 0.06, 16 shots, " in text


def test_of_several_datasets_it_is_the_average_by_the_first_rule(write_pair, said):
    pairs(write_pair, "dtd", 2, 2.1, 1.9)
    pairs(write_pair, "pets", 3, -3, 0)
    (text,) = said()
    assert "average (H of averages) over 2 datasets, tau 0.06, 16 shots, 3 seeds" in text
    assert text.endswith("Dataset by dataset: above on 1, not told apart on 1.")


def test_every_tau_has_its_own(write_pair, said):
    pairs(write_pair, "dtd", 2, 2.1, 1.9)
    pairs(write_pair, "dtd", -2, -2.1, -1.9, ratio=1.0)
    assert [text.split(" CoOp")[0] for text in said()] == ["NPT_CoOp is above", "NPT_CoOp is below"]


def test_datasets_without_an_average_are_counted(write, said):
    for dataset, gain in (("imagenet", 2.0), ("places", -2.0)):
        for seed in (1, 2, 3):
            for trainer, more in (("CoOp", 0.0), ("NPT_CoOp", gain + 0.1 * seed)):
                write(Place("long_tail", "", dataset, -1, 0.01, trainer, "cfg", seed), 60 + more)
    assert said() == [
        "NPT_CoOp and CoOp in long-tail recognition: accuracy, tau 0.01, all shots, is above on 1, "
        "below on 1."
    ]


def test_without_a_pair_there_is_none(write_pair, said):
    write_pair("dtd", "CoOp", 1, 60.0, 60.0)
    assert said() == []
