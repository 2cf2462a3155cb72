import importlib
import random
import sys
import types

import pytest
import torch
import torch.nn.functional as F
from tolerance import DOUBLE

from npt_plugin.geometry import simplex_etf
from npt_plugin.losses.cluster import (
    ClassCompactnessLoss,
    ClusterETFLoss,
    PrototypeAnchorLoss,
    text_clusters,
)

pytestmark = pytest.mark.numerics

K, D = 6, 8
CLUSTERS = torch.tensor([0, 1, 0, 0, 1, 2])
LABELS = torch.tensor([0, 0, 3, 5])


def unit_randn(*shape, seed=0):
    return F.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def tetf_reference(text, clusters):
    total, m = 0.0, len(set(clusters.tolist()))
    for c in set(clusters.tolist()):
        own = [t.double() for t, k in zip(text, clusters, strict=True) if k == c]
        rows = [t / t.norm() for t in own]
        for i, a in enumerate(rows):
            for j, b in enumerate(rows):
                if i != j:
                    total += (float(a @ b) + 1 / (len(rows) - 1)) ** 2
    return total / m


def cc_reference(images, text, labels):
    present = set(labels.tolist())
    total = 0.0
    for c in present:
        own = [h for h, y in zip(images, labels, strict=True) if y == c]
        total += sum(
            float((h / h.norm() - text[c] / text[c].norm()).square().sum()) for h in own
        ) / len(own)
    return total / len(text)


def test_tetf_matches_the_loop_and_vanishes_on_cluster_etfs():
    loss = ClusterETFLoss(CLUSTERS)
    text = unit_randn(K, D)
    expected = tetf_reference(text, CLUSTERS)
    assert float(loss(None, text, None)) == pytest.approx(expected, rel=DOUBLE)
    exact = torch.zeros(K, D, dtype=torch.float64)
    exact[CLUSTERS == 0] = simplex_etf(3, D, 0)
    exact[CLUSTERS == 1] = simplex_etf(2, D, 1)
    exact[CLUSTERS == 2] = simplex_etf(2, D, 2)[:1]
    assert loss(None, exact, None) < 1e-12


def test_tetf_hand_value_and_single_class_clusters():
    # one pair of equal vectors: two entries off by 1 + 1/(2-1); 2 clusters
    loss = ClusterETFLoss(torch.tensor([0, 0, 1]))
    assert float(loss(None, torch.ones(3, D), None)) == pytest.approx(2 * 4 / 2)
    assert float(ClusterETFLoss(torch.arange(3))(None, torch.ones(3, D), None)) == 0


def test_cc_matches_the_loop():
    images, text = unit_randn(4, D), unit_randn(K, D, seed=1)
    got = ClassCompactnessLoss()(images, text, LABELS)
    assert float(got) == pytest.approx(cc_reference(images, text, LABELS), rel=DOUBLE)
    assert float(ClassCompactnessLoss()(text[LABELS], text, LABELS)) == pytest.approx(0, abs=DOUBLE)


def test_rs_by_hand():
    frozen = unit_randn(K, D)
    loss = PrototypeAnchorLoss(frozen)
    assert float(loss(None, frozen, None)) == 0
    assert float(loss(None, frozen + 0.5, None)) == pytest.approx(0.5 * D, rel=DOUBLE)


@pytest.mark.parametrize(
    "loss",
    [
        ClusterETFLoss(CLUSTERS),
        ClassCompactnessLoss(),
        PrototypeAnchorLoss(unit_randn(K, D, seed=5)),
    ],
)
class TestEveryTerm:
    def test_nothing_is_saved(self, loss):
        assert not list(loss.parameters()) and loss.state_dict() == {}

    def test_averages_over_images(self, loss):
        images, text = unit_randn(4, D), unit_randn(4, K, D, seed=1)
        each = [loss(images, text[b], LABELS) for b in range(4)]
        assert torch.allclose(loss(images, text, LABELS), sum(each) / 4, atol=DOUBLE)

    def test_gradient_is_right_and_lowers_the_loss(self, loss):
        images = unit_randn(4, D).double()
        text = unit_randn(K, D, seed=1).double().requires_grad_()
        assert torch.autograd.gradcheck(lambda t: loss(images, t, LABELS), (text,))
        value = loss(images, text, LABELS)
        value.backward()
        assert loss(images, text - 0.01 * text.grad, LABELS) < value

    @pytest.mark.numerics(single=True)
    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_half_precision_computes_in_float32(self, loss, dtype):
        images, text = unit_randn(4, D).to(dtype), unit_randn(K, D, seed=1).to(dtype)
        value = loss(images, text, LABELS)
        assert value.dtype == torch.float32
        assert torch.equal(value, loss(images.float(), text.float(), LABELS))


class TestTextClusters:
    groups = F.normalize(torch.eye(3, D).repeat_interleave(4, 0) + 0.05 * unit_randn(12, D), dim=1)

    def test_finds_groups_and_is_repeatable(self):
        found = text_clusters(self.groups, 3)
        assert [len(set(found[i : i + 4].tolist())) for i in (0, 4, 8)] == [1, 1, 1]
        assert len(set(found.tolist())) == 3
        assert torch.equal(found, text_clusters(self.groups, 3))

    def test_automatic_number_and_range(self):
        assert len(set(text_clusters(unit_randn(16, D)).tolist())) == 4
        assert text_clusters(unit_randn(1, D)).tolist() == [0]
        with pytest.raises(ValueError, match="num_clusters"):
            text_clusters(self.groups, 13)


def test_importing_scikit_learn_draws_no_random_number_of_the_run(monkeypatch):
    """It loads packages that do; what follows would depend on what was imported before."""
    real = importlib.import_module("sklearn.cluster")

    class Drawing(types.ModuleType):
        def __getattr__(self, name):
            random.random()
            return getattr(real, name)

    monkeypatch.setitem(sys.modules, "sklearn.cluster", Drawing("sklearn.cluster"))
    before = random.getstate()
    text_clusters(torch.eye(3), 2)
    assert random.getstate() == before
