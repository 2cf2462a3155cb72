"""Heads against loops, where they start, and margins that are right on each of them."""

import math

import pytest
import torch
import torch.nn.functional as F
from tolerance import DOUBLE
from yacs.config import CfgNode

from npt_plugin.config import defaults
from npt_plugin.errors import UserError
from npt_plugin.heads import HEADS, CosineHead, LinearHead, TextHead, build_head
from npt_plugin.heads.initial import class_mean_rows, random_cosine_rows, semantic_rows
from npt_plugin.losses import build_classification_loss

pytestmark = pytest.mark.numerics

B, K, D, W = 5, 4, 6, 8


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


def test_semantic_rows_give_an_unprojected_feature_the_projected_inner_product():
    torch.manual_seed(0)
    text, projection = F.normalize(torch.randn(K, D), dim=-1), torch.randn(W, D)
    feature = torch.randn(W)
    rows = semantic_rows(text, projection)
    assert rows.shape == (K, W)
    torch.testing.assert_close(rows.norm(dim=-1), torch.ones(K))
    for c in range(K):
        mapped = projection @ text[c]  # (W,)
        inner = (feature @ projection) @ text[c]
        torch.testing.assert_close(rows[c] @ feature * mapped.norm(), inner)
    assert torch.equal(semantic_rows(text, None), text)


def test_class_means_count_every_image_as_a_direction():
    features = torch.tensor([[10.0, 0.0], [0.0, 0.1], [3.0, 4.0]])
    rows = class_mean_rows(features, torch.tensor([1, 1, 0]), 2)
    torch.testing.assert_close(rows, torch.tensor([[0.6, 0.8], [0.5**0.5, 0.5**0.5]]))


def test_random_rows_are_cut_at_two_deviations():
    rows = random_cosine_rows(200, 100)
    assert rows.abs().max() <= 0.04 and 0.016 < rows.std() < 0.019


def node(**values) -> CfgNode:
    found = defaults().TRAINER.HEAD
    for key, value in values.items():
        found[key] = value
    return found


def never():
    raise AssertionError("text features are not needed")


def test_build_head_reads_its_node():
    text = F.normalize(torch.randn(K, D), dim=-1)
    assert build_head(node(), K, D, 17.5, lambda: text).scale == 17.5
    assert build_head(node(SCALE=25.0), K, D, 17.5, lambda: text).scale == 25.0
    for name in HEADS[1:]:
        head = build_head(node(NAME=name), K, D, 17.5, lambda: text)
        assert torch.equal(head.rows(), text)
        for init in ("random", "mean"):
            assert build_head(node(NAME=name, INIT=init), K, D, 1.0, never).rows().shape == (K, D)
    assert build_head(node(NAME="linear"), K, D, 1.0, lambda: text, tau=0.5).tau == 0.5


@pytest.mark.parametrize("key, value", [("NAME", "mlp"), ("INIT", "zeros"), ("SCALE", -1.0)])
def test_bad_head_settings_are_named(key, value):
    with pytest.raises(UserError, match=rf"TRAINER\.HEAD\.{key} is"):
        build_head(node(**{key: value}), K, D, 1.0, never)


def loss_of(name: str, head_scale, **values):
    root = CfgNode({"TRAINER": CfgNode({"IMBALANCE_LOSS": defaults().TRAINER.IMBALANCE_LOSS})})
    root.TRAINER.IMBALANCE_LOSS.NAME = name
    for key, value in values.items():
        root.TRAINER.IMBALANCE_LOSS[key] = value
    return build_classification_loss(root, torch.tensor([100, 10, 1]), head_scale)


@pytest.mark.parametrize("head_scale", [100.0, 25.0, 17.5, None])
def test_margins_have_the_published_size_in_logits_on_every_head(head_scale):
    """LDAM 0.5 x 25, GCL margin 0.1 x 25 and noise 1 x 25, whatever the head's own scale."""
    assert loss_of("ldam", head_scale).shifts.tolist()[2] == pytest.approx(12.5)
    gcl = loss_of("gcl", head_scale)
    assert gcl.shift == pytest.approx(2.5) and gcl.clouds.max().item() == pytest.approx(25.0)


def test_margins_in_cosines_of_the_head_on_request():
    own = {"LOGIT_SCALE": 0.0, "LDAM_MARGIN": 0.5}
    assert loss_of("ldam", 30.0, **own).shifts.tolist()[2] == pytest.approx(15.0)
    with pytest.raises(UserError, match="a linear head has none"):
        loss_of("gcl", None, **own)
    loss_of("ce", None, **own)  # has no margin: nothing to refuse
