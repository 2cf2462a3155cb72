"""Heads against loops over images and classes."""

import math

import pytest
import torch
from tolerance import DOUBLE

from npt_plugin.heads.head import CosineHead, Head, LinearHead, TextHead, cosine_logits

pytestmark = pytest.mark.numerics

B, K, D = 5, 4, 6


def rows_and_features():
    torch.manual_seed(0)
    return torch.randn(K, D), 3 * torch.randn(B, D)


def cosine(a, b):
    return sum(x * y for x, y in zip(a.tolist(), b.tolist(), strict=True)) / (
        math.sqrt(sum(x * x for x in a.tolist())) * math.sqrt(sum(y * y for y in b.tolist()))
    )


@pytest.mark.parametrize("kind", [TextHead, CosineHead])
def test_cosine_logits_by_hand(kind):
    rows, features = rows_and_features()
    logits = kind(rows, 25.0)(features)
    for i in range(B):
        for c in range(K):
            expected = 25 * cosine(features[i], rows[c])
            assert logits[i, c].item() == pytest.approx(expected, abs=DOUBLE)


def test_linear_logits_and_tau_normalisation_by_hand():
    rows, features = rows_and_features()
    head = LinearHead(rows, tau=0.7)
    with torch.no_grad():
        head.bias.copy_(torch.randn(K))
    training, testing = head(features), head.eval()(features)
    for i in range(B):
        for c in range(K):
            inner = sum((features[i] * rows[c]).tolist())
            norm = math.sqrt(sum((rows[c] ** 2).tolist()))
            assert training[i, c].item() == pytest.approx(inner + head.bias[c].item(), abs=DOUBLE)
            assert testing[i, c].item() == pytest.approx(inner / norm**0.7, abs=DOUBLE)
    plain = LinearHead(rows).eval()
    torch.testing.assert_close(plain(features), features @ rows.t())


def test_tau_one_makes_all_rows_count_alike():
    rows, features = rows_and_features()
    stretched = rows * torch.tensor([[1.0], [5.0], [0.1], [30.0]])
    one, other = (LinearHead(r, tau=1.0).eval()(features) for r in (rows, stretched))
    torch.testing.assert_close(one, other)


def test_only_the_text_head_learns_nothing_and_names_new_classes():
    rows, _ = rows_and_features()
    heads = (TextHead(rows, 9.0), CosineHead(rows, 9.0), LinearHead(rows))
    assert [len(list(h.parameters())) for h in heads] == [0, 1, 2]
    assert [h.names_new_classes for h in heads] == [True, False, False]
    assert [h.scale for h in heads] == [9.0, 9.0, None]
    assert not heads[0].state_dict()  # its rows follow from the names


def test_rows_are_replaced_in_place():
    rows, _ = rows_and_features()
    for head in (CosineHead(rows, 9.0), LinearHead(rows)):
        weight = head.weight
        head.set_rows(2 * rows)
        assert head.weight is weight and torch.equal(head.rows(), 2 * rows)
        assert head.weight.requires_grad and head.weight.data_ptr() != rows.data_ptr()


def test_a_head_without_rows_says_so():
    with pytest.raises(NotImplementedError):
        Head().rows()


def test_cosines_do_not_see_lengths():
    rows, features = rows_and_features()
    plain = cosine_logits(features, rows, 25.0)
    torch.testing.assert_close(cosine_logits(7 * features, 0.1 * rows, 25.0), plain)
    assert plain.abs().max() <= 25 + DOUBLE


@pytest.mark.numerics(single=True)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_features_give_float32_logits(dtype):
    rows, features = rows_and_features()
    for head in (TextHead(rows, 9.0), CosineHead(rows, 9.0), LinearHead(rows)):
        assert head(features.to(dtype)).dtype == torch.float32
