"""Base and new classes together: hand-computed cases, slow loops, and scikit-learn."""

import pytest
import torch
from sklearn.metrics import roc_auc_score

from npt_plugin.evaluation.averages import harmonic_mean
from npt_plugin.evaluation.groups import ShotGroups
from npt_plugin.evaluation.metrics import expected_calibration_error
from npt_plugin.evaluation.open_world import (
    MEASURES,
    auroc,
    open_world_metrics,
    openworld_auc,
    pull,
)

GROUPS = ShotGroups(many_above=8, few_below=3.2)
COUNTS = [16, 4, 1]


def random_case(n=60, names=7, seed=0, levels=0):
    """Logits and labels; with few ``levels`` many scores tie."""
    torch.manual_seed(seed)
    logits = torch.randn(n, names) * 3
    if levels:
        logits = (logits / 3 * levels).round()
    return logits, torch.randint(names, (n,))


def measured(logits, labels, counts=COUNTS):
    return open_world_metrics(logits, labels, counts, GROUPS)


def test_a_case_worked_by_hand():
    # two base names (16 and 1 images), two new ones
    logits = torch.tensor(
        [
            [9.0, 0.0, 0.0, 0.0],  # base 0, right
            [0.0, 5.0, 0.0, 7.0],  # base 1, taken for new 3; right among base names
            [0.0, 0.0, 8.0, 0.0],  # new 2, right
            [6.0, 0.0, 0.0, 4.0],  # new 3, taken for base 0; right among new names
        ]
    )
    found = measured(logits, torch.tensor([0, 1, 2, 3]), [16, 1])
    assert (found["joint"], found["joint_base"], found["joint_new"]) == (50.0, 50.0, 50.0)
    assert found["joint_H"] == 50.0
    # largest base probability: base images ~1 and ~.12, new ones ~.0003 and ~.88
    assert found["auroc"] == found["openworld_auc"] == 75.0
    assert found["auroc_energy"] == 75.0  # ~9, ~5 against ~.7, ~6
    assert found["new_taken"] == 50.0 and found["taken"] == [50.0, 0.0]
    assert found["pull"] == pytest.approx(1600 / 8.5)
    assert (found["taken_many"], found["taken_medium"], found["taken_few"]) == (50.0, None, 0.0)


def slow(logits, labels, n_base):
    """The definitions, one image or pair after another."""
    probability = logits.double().softmax(1)
    base = [i for i in range(len(labels)) if labels[i] < n_base]
    new = [i for i in range(len(labels)) if labels[i] >= n_base]
    score = [float(p[:n_base].max()) for p in probability]
    won = both = 0.0
    for b in base:
        for n in new:
            above = 1.0 if score[b] > score[n] else 0.5 if score[b] == score[n] else 0.0
            right = logits[b, :n_base].argmax() == labels[b]
            right &= logits[n, n_base:].argmax() + n_base == labels[n]
            won, both = won + above, both + above * float(right)
    return 100 * won / len(base) / len(new), 100 * both / len(base) / len(new)


@pytest.mark.parametrize("levels", [0, 1])
def test_pairs_are_those_of_a_loop_over_all_of_them(levels):
    logits, labels = random_case(levels=levels)
    found = measured(logits, labels)
    expected = slow(logits, labels, 3)
    assert found["auroc"] == pytest.approx(expected[0], rel=1e-12)
    assert found["openworld_auc"] == pytest.approx(expected[1], rel=1e-12)
    assert 0 < found["openworld_auc"] < found["auroc"]


@pytest.mark.parametrize("levels", [0, 2])
def test_auroc_is_scikit_learns_with_and_without_ties(levels):
    logits, labels = random_case(200, seed=1, levels=levels)
    found, is_base = measured(logits, labels), (labels < 3).numpy()
    largest = logits.double().softmax(1)[:, :3].max(1).values
    energy = logits[:, :3].double().logsumexp(1)
    for name, score in (("auroc", largest), ("auroc_energy", energy)):
        assert found[name] == pytest.approx(100 * roc_auc_score(is_base, score.numpy()), rel=1e-12)


def test_openworld_auc_is_that_of_scores_which_wrong_images_have_lost():
    """A wrong base image below every new one, a wrong new one above every base one."""
    logits, labels = random_case(150, seed=2)
    score, new = logits.double().softmax(1)[:, :3].max(1).values, labels >= 3
    right = torch.where(
        new, logits[:, 3:].argmax(1) + 3 == labels, logits[:, :3].argmax(1) == labels
    )
    lost = torch.where(new, torch.full_like(score, 2.0), torch.full_like(score, -1.0))
    expected = roc_auc_score((~new).numpy(), torch.where(right, score, lost).numpy())
    assert measured(logits, labels)["openworld_auc"] == pytest.approx(100 * expected, rel=1e-12)


def test_ties_count_half_and_wrong_images_nothing():
    one = torch.tensor([0.5, 0.5])
    assert auroc(one, one) == 50.0
    assert auroc(torch.tensor([1.0]), torch.tensor([0.0])) == 100.0
    right, wrong = torch.tensor([True, True]), torch.tensor([True, False])
    assert openworld_auc(one, one, right, right) == 50.0
    assert openworld_auc(one, one, right, wrong) == 25.0
    assert openworld_auc(one + 1, one, right, right) == 100.0


def test_pairs_do_not_depend_on_how_many_images_a_half_has():
    logits, labels = random_case(seed=3)
    new = labels >= 3
    rows, more = [torch.cat([t, t[new], t[new]]) for t in (logits, labels)]
    one, other = measured(logits, labels), measured(rows, more)
    for name in ("joint_base", "joint_new", "auroc", "openworld_auc", "ece_new", "pull"):
        assert one[name] == pytest.approx(other[name], rel=1e-12)
    assert one["joint"] != other["joint"]


def test_calibration_is_of_each_half_among_its_own_names():
    logits, labels = random_case(300, seed=4)
    found, new = measured(logits, labels), labels >= 3
    ece_new = expected_calibration_error(logits[new][:, 3:], labels[new] - 3)
    ece_base = expected_calibration_error(logits[~new][:, :3], labels[~new])
    assert found["ece_new"] == pytest.approx(ece_new)
    assert found["ece_gap"] == pytest.approx(ece_new - ece_base)


def test_a_constant_on_the_base_names_trades_one_half_for_the_other():
    logits, labels = random_case(300, seed=5)
    shifted = logits.clone()
    shifted[:, :3] += 4
    one, other = measured(logits, labels), measured(shifted, labels)
    assert other["new_taken"] > one["new_taken"] and other["joint_base"] > one["joint_base"]
    assert other["joint_new"] < one["joint_new"]
    assert other["ece_new"] == pytest.approx(one["ece_new"])  # among new names alone
    assert one["joint_H"] == pytest.approx(harmonic_mean(one["joint_base"], one["joint_new"]))


def test_order_of_images_and_a_constant_on_all_names_change_nothing():
    logits, labels = random_case(seed=6)
    logits = logits.double()  # a constant added to halves of a bit may reorder two images
    order = torch.randperm(len(labels))
    one, other = measured(logits, labels), measured(logits[order] + 3, labels[order])
    assert one.keys() == other.keys()
    for name in MEASURES.keys() - {"auroc_energy"}:  # an energy is no probability
        assert one[name] == pytest.approx(other[name], rel=1e-6), name


@pytest.mark.parametrize("half", ["base", "new"])
def test_a_half_without_images_leaves_none_not_a_number(half):
    logits, labels = random_case(seed=7)
    some = labels < 3 if half == "base" else labels >= 3
    found = measured(logits[some], labels[some])
    none = {name for name in MEASURES if found[name] is None}
    always = {"joint_H", "auroc", "auroc_energy", "openworld_auc", "ece_gap"}
    if half == "base":  # no new image
        assert none == always | {"joint_new", "ece_new", "new_taken", "pull"}
        assert found["taken"] is None and found["taken_many"] is None
    else:
        assert none == always | {"joint_base"}
        assert found["joint"] == found["joint_new"]


def test_one_class_in_each_half():
    logits = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 1.0]])
    found = measured(logits, torch.tensor([0, 1, 1]), [5])
    assert found["joint"] == pytest.approx(200 / 3)
    assert found["auroc"] == found["openworld_auc"] == 50.0  # alone each name is always right
    assert found["ece_new"] == found["ece_gap"] == 0.0
    assert found["taken"] == [50.0] and found["pull"] == 100.0


def test_the_pull_is_100_where_frequency_plays_no_part():
    assert pull(torch.tensor([3, 0, 9]), [7, 7, 7]) == 100.0  # balanced data have none
    assert pull(torch.tensor([5, 5, 5]), COUNTS) == pytest.approx(100.0)
    assert pull(torch.tensor([1, 0, 0]), COUNTS) == pytest.approx(1600 / 7)
    assert pull(torch.tensor([0, 0, 1]), COUNTS) == pytest.approx(100 / 7)
    assert pull(torch.tensor([0, 0, 0]), COUNTS) is None
