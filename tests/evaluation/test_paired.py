"""Paired differences over images, against exact cases and SciPy."""

import pytest
import torch
from scipy import stats

from npt_plugin.evaluation.paired import hits, paired_difference


def test_hits_are_counted_image_by_image():
    logits = torch.tensor([[2.0, 1.0], [0.0, 3.0], [5.0, 4.0]])
    assert hits(logits, torch.tensor([0, 0, 1])).tolist() == [1.0, 0.0, 0.0]


def test_the_difference_and_its_interval_are_the_one_sample_t_interval():
    generator = torch.Generator().manual_seed(0)
    one, other = torch.randint(2, (2, 40), generator=generator).double()
    found = paired_difference(one, other)
    each = (100 * (one - other)).numpy()
    test = stats.ttest_rel(100 * one.numpy(), 100 * other.numpy()).confidence_interval(0.95)
    assert found["difference"] == pytest.approx(each.mean())
    assert found["interval"] == pytest.approx([test.low, test.high])
    assert found["n"] == 40 and found["over"] == "test images"


def test_images_on_which_both_agree_leave_nothing_but_certainty():
    same = torch.tensor([1.0, 0.0, 1.0])
    assert paired_difference(same, same)["interval"] == [0.0, 0.0]
    assert paired_difference(same[:1], same[:1])["interval"] is None
