import pytest
import torch
import torch.nn.functional as F
from tolerance import DOUBLE

from npt_plugin.heads import TWO_STAGE, DisAlign, LearnableScaling, Marc, Retraining
from npt_plugin.losses import CLASSIFICATION_LOSSES

pytestmark = pytest.mark.numerics

B, K, D = 6, 4, 5


def stage_one():
    torch.manual_seed(0)
    features = torch.randn(B, D, requires_grad=True)
    weight = torch.randn(K, D, requires_grad=True)
    return features, weight, features @ weight.T


@pytest.mark.parametrize("name", TWO_STAGE)
def test_trains_itself_and_nothing_of_stage_one(name):
    features, weight, logits = stage_one()
    head = TWO_STAGE[name].build(weight, 0.0)
    labels = torch.randint(0, K, (B,))
    optimizer = torch.optim.SGD(head.parameters(), 0.1)
    first = F.cross_entropy(head(features, logits), labels)
    first.backward()
    optimizer.step()
    assert features.grad is None and weight.grad is None
    assert F.cross_entropy(head(features, logits), labels) < first
    assert TWO_STAGE[name].loss in CLASSIFICATION_LOSSES


@pytest.mark.parametrize("name", ["lws", "marc", "disalign"])
def test_starts_without_changing_a_decision(name):
    features, weight, logits = stage_one()
    out = TWO_STAGE[name].build(weight, 0.0)(features, logits)
    assert torch.equal(out.argmax(1), logits.argmax(1))
    if name != "disalign":
        assert torch.allclose(out, logits)


def test_formulas_by_hand():
    features, weight, logits = stage_one()
    lws, marc, align = LearnableScaling(K), Marc(weight), DisAlign(K, D)
    with torch.no_grad():
        for p in (*lws.parameters(), *marc.parameters(), *align.parameters()):
            p.copy_(torch.randn(p.shape))
    for i in range(B):
        q = 1 / (
            1 + torch.exp(-(align.confidence.weight[0] @ features[i] + align.confidence.bias[0]))
        )
        for c in range(K):
            z = logits[i, c]
            norm = weight[c].square().sum().sqrt()
            assert torch.allclose(lws(features, logits)[i, c], lws.scale[c] * z)
            assert torch.allclose(
                marc(features, logits)[i, c], marc.scale[c] * z + marc.shift[c] * norm, atol=DOUBLE
            )
            assert torch.allclose(
                align(features, logits)[i, c],
                (1 + q * align.alpha[c]) * z + q * align.beta[c],
                atol=DOUBLE,
            )


def test_retraining_starts_afresh_linear_or_cosine():
    features, weight, logits = stage_one()
    linear, cosine = Retraining(K, D), Retraining(K, D, logit_scale=25.0)
    assert linear.classifier.bias is not None and cosine.classifier.bias is None
    assert not torch.allclose(linear.classifier.weight, weight)
    expected = 25 * F.cosine_similarity(features[:, None], cosine.classifier.weight[None], dim=-1)
    assert torch.allclose(cosine(features, logits), expected, atol=DOUBLE)
    assert torch.equal(linear(features, logits), linear(features, -logits))


def test_norms_of_marc_are_saved_and_frozen():
    _, weight, _ = stage_one()
    marc = Marc(weight)
    other = Marc(torch.zeros(K, D))
    other.load_state_dict(marc.state_dict())
    assert torch.equal(other.norms, weight.detach().norm(dim=1))
    assert "norms" not in dict(marc.named_parameters())


def test_second_stages_see_classes_as_often_as_their_papers_say():
    """cRT and LWS draw classes evenly (Kang et al.); DisAlign and MARC re-weight plain batches."""
    found = {name: (stage.loss, stage.balanced_sampling) for name, stage in TWO_STAGE.items()}
    evenly, reweighted = ("ce", True), ("grw", False)
    assert found == dict(crt=evenly, lws=evenly, disalign=reweighted, marc=reweighted)
