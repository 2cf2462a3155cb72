"""ProGrad: a gradient that does not go against zero-shot knowledge."""

import pytest
import torch
from trainer_checks import assert_same, learned

from npt_plugin.errors import UserError
from npt_plugin.trainers.prograd import projected
from npt_plugin.trainers.stacked_step import can_stack, stack_key

WORDS = ("TRAINER.COOP.CTX_INIT", "a_photo_of_a", "TRAINER.COOP.N_CTX", "6")


def gradients_of(trainer, batch, terms):
    """Gradients of the sum of some terms, by autograd alone."""
    found, _ = trainer.losses(batch)
    loss = sum(found[name] for name in terms)
    return torch.autograd.grad(loss, list(trainer.model.learned().values()))


def test_only_the_part_against_the_direction_is_taken_away():
    direction = torch.tensor([0.0, 2.0])
    assert projected(torch.tensor([1.0, 3.0]), direction, 1.0).tolist() == [1.0, 3.0]
    assert projected(torch.tensor([1.0, -4.0]), direction, 1.0).tolist() == [1.0, 0.0]
    assert projected(torch.tensor([1.0, -4.0]), direction, 0.5).tolist() == [1.0, -2.0]
    assert projected(torch.tensor([1.0, -4.0]), torch.zeros(2), 1.0).tolist() == [1.0, -4.0]


@pytest.mark.numerics
@pytest.mark.parametrize("name, task", [("ProGrad", ("ce",)), ("NPT_ProGrad", ("ce", "lc", "mi"))])
def test_a_step_follows_the_projected_gradient(make_trainer, name, task):
    mild = ("TRAINER.NPT.LAMBDA_LC", "0.1", "TRAINER.NPT.LAMBDA_MI", "0.1")
    trainer = make_trainer(name, "TRAINER.NPT.MI.MOMENTUM", "0.", "LOSS.LAMBDA", "0.7", *mild)
    trainer.set_model_mode("train")
    against = 0
    for batch in list(trainer.train_loader_x) * 3:
        seen = trainer.on_device(batch)
        (general,) = gradients_of(trainer, seen, ("kl",))
        (own,) = gradients_of(trainer, seen, task)
        dot = float((own * general).sum())
        against += dot < 0
        wanted = own - 0.7 * min(dot, 0) / float((general * general).sum()) * general
        trainer.forward_backward(batch)
        (context,) = trainer.model.learned().values()
        assert torch.allclose(context.grad, wanted, rtol=1e-9, atol=1e-14)
    assert against  # the case that matters was there


def test_without_strength_it_is_coop(make_trainer, tmp_path):
    ends = []
    for words in (("CoOp",), ("ProGrad", "LOSS.LAMBDA", "0")):
        trainer = make_trainer(*words, output=tmp_path / words[0])
        trainer.train()
        ends.append(learned(trainer))
    assert_same(*ends)


def test_words_are_the_last_vectors_behind_zeros(make_trainer):
    words = make_trainer("CoOp", "TRAINER.COOP.CTX_INIT", "a_photo_of_a").model.prompt_learner.ctx
    padded = make_trainer("ProGrad", *WORDS).model.prompt_learner.ctx
    assert torch.equal(padded[2:], words) and not padded[:2].any()


def test_true_means_the_words_of_the_dataset_s_template(make_trainer):
    options = ("TRAINER.COOP.CTX_INIT", "true", "TRAINER.COOP.N_CTX", "8")
    found = make_trainer("ProGrad", *options).model.prompt_learner.ctx
    words = ("TRAINER.COOP.CTX_INIT", "a type of pet, a photo of a")
    named = make_trainer("ProGrad", *words, "TRAINER.COOP.N_CTX", "8").model.prompt_learner.ctx
    assert torch.equal(found, named) and found.abs().sum(dim=-1).all()


def test_more_words_than_vectors_are_refused(make_trainer):
    with pytest.raises(UserError, match=r"4 words to start from .* takes 1 to .*N_CTX, 3"):
        make_trainer("ProGrad", "TRAINER.COOP.CTX_INIT", "a_photo_of_a")


@pytest.mark.parametrize(
    "key, value", [("LOSS.NAME", "other"), ("LOSS.T", "0."), ("LOSS.LAMBDA", "-1.")]
)
def test_values_without_a_meaning_are_refused(make_trainer, key, value):
    with pytest.raises(UserError, match=key):
        make_trainer("ProGrad", key, value)


def test_its_runs_do_not_share_a_pass_of_the_text_tower(make_trainer):
    trainer = make_trainer("ProGrad")
    assert not can_stack(trainer.model_class) and stack_key(trainer) == id(trainer)
    assert can_stack(make_trainer("KgCoOp").model_class)
