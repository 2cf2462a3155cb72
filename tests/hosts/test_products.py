"""``TRAINER.NPT.AT logits``: the features that classify are found, or the run says why not."""

from __future__ import annotations

import edge_trainers as edge
import pytest
import torch
import torch.nn.functional as F
from joint_loss import assert_close, expected, gradients
from reference_trainers import HOSTS, labelled_batch

from npt_plugin.errors import UserError
from npt_plugin.hosts.products import behind, product_of

pytestmark = pytest.mark.numerics

LOGITS = ("TRAINER.NPT.AT", "logits")


@pytest.mark.parametrize("cls", [edge.Adapted, edge.AdaptedLinear])
@pytest.mark.parametrize("version", ["v3", "v2"])
def test_the_terms_act_behind_an_adapter(make, cls, version):
    """The gradient of loss plus terms, both of the adapted features; the adapters' too."""
    trainer = make("", "TRAINER.NPT.VERSION", version, *LOGITS, cls=cls)
    batch = labelled_batch(trainer)
    wanted, _ = expected(trainer, batch)
    trainer.forward_backward(batch)
    assert any(name.startswith("adapters.0") for name in wanted)
    assert_close(gradients(trainer), wanted)


def test_at_the_encoders_they_act_before_it(make):
    trainer = make("", cls=edge.Adapted)
    batch = labelled_batch(trainer)
    wanted, _ = expected(trainer, batch)
    trainer.forward_backward(batch)
    assert not torch.allclose(gradients(trainer)["ctx"], wanted["ctx"])


@pytest.mark.parametrize("name", ["HostCoOp", "HostMaPLe", "HostTuple"])
def test_without_an_adapter_both_places_are_one(make, name):
    trainer = make(name, *LOGITS)
    batch = labelled_batch(trainer)
    wanted, _ = expected(trainer, batch)
    trainer.forward_backward(batch)
    assert_close(gradients(trainer), wanted)


def test_of_several_passes_the_one_of_the_loss_has_the_terms(make):
    trainer, plain = (
        make("", *LOGITS, cls=edge.Projecting),
        make("", cls=edge.Projecting, wrapped=False),
    )
    batch = labelled_batch(trainer)
    wanted, _ = expected(trainer, batch)
    for each in (trainer, plain):
        each.forward_backward(batch)
    assert torch.equal(trainer.direction, plain.direction)
    assert_close({"ctx": trainer.descent}, wanted)


@pytest.mark.parametrize(
    "cls, sentence",
    [
        (edge.TwoHeads, "several products of image and text features"),
        (HOSTS["HostCoCoOp"], "no cross_entropy or nll_loss had a gradient to class scores"),
        (edge.Reordered, "no cross_entropy or nll_loss had a gradient to class scores"),
        (edge.Distilling, "no cross_entropy or nll_loss had a gradient to class scores"),
        (edge.MixedTargets, "told different ones for the same scores"),
    ],
)
def test_what_is_not_certain_is_refused(make, cls, sentence):
    trainer = make("", *LOGITS, cls=cls)
    with pytest.raises(UserError, match=sentence):
        trainer.forward_backward(labelled_batch(trainer))


def test_contrast_of_as_many_rows_as_classes_is_no_classification(make):
    class Contrasting(HOSTS["HostCoOp"]):
        def loss(self, images, labels):
            image, text = self.model.features(images)
            rows = F.cross_entropy(image @ text[labels].T, torch.arange(len(labels)))
            return rows + F.cross_entropy(self.model.scale * image @ text.T, labels)

    trainer = make("", *LOGITS, cls=Contrasting)
    batch = {**labelled_batch(trainer, 3), "label": torch.tensor([2, 2, 0])}
    wanted, _ = expected(trainer, batch)
    trainer.forward_backward(batch)
    assert_close(gradients(trainer), wanted)


def test_another_place_is_refused(make):
    with pytest.raises(UserError, match="TRAINER.NPT.AT is 'prompts'; choose one of encoders"):
        make("HostCoOp", changes=("TRAINER.NPT.AT", "prompts"))


def test_scores_are_followed_only_where_each_stays_in_its_place():
    images, text = torch.randn(4, 5, requires_grad=True), torch.randn(3, 5, requires_grad=True)
    right = text.T
    scores = images @ right
    product = product_of(torch.matmul, (images, right), scores, 3)
    assert product.turned and product.text is right
    (found,) = behind((100 * scores / 2 - 1).log_softmax(dim=-1), [product])
    assert found is product
    assert behind(scores, [product]) == [product]
    for moved in (scores.flip(0), scores[:, [2, 0, 1]], scores.sum(0, keepdim=True)):
        assert behind(moved, [product]) == []


@pytest.mark.parametrize(
    "function, args",
    [
        (torch.matmul, (torch.ones(4, 5), torch.ones(5, 3))),  # no gradient
        (torch.matmul, (torch.ones(4, 5), torch.ones(5, 2, requires_grad=True))),  # other classes
        (torch.matmul, (torch.ones(5), torch.ones(5, 3, requires_grad=True))),  # one row
        (F.linear, (torch.ones(4, 5), torch.ones(3, 5, requires_grad=True))),  # a layer
        (torch.add, (torch.ones(4, 3, requires_grad=True), torch.ones(4, 3))),
    ],
)
def test_what_is_no_product_of_features(function, args):
    assert product_of(function, args, function(*args), 3) is None
