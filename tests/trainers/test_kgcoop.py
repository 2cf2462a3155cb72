"""KgCoOp: CoOp and one term."""

import pytest
from trainer_checks import assert_same, learned

from npt_plugin.errors import UserError
from npt_plugin.trainers.zeroshot import text_features_of


def test_without_weight_it_is_coop_bit_for_bit(make_trainer, tmp_path):
    ends = []
    for words in (("CoOp",), ("KgCoOp", "TRAINER.COOP.W", "0")):
        trainer = make_trainer(*words, output=tmp_path / words[0])
        trainer.train()
        ends.append(learned(trainer))
    assert_same(*ends)


@pytest.mark.numerics
def test_the_term_is_the_weighted_distance_to_the_template_s_features(make_trainer, small_clip):
    trainer = make_trainer("KgCoOp", "TRAINER.COOP.W", "8")
    terms, outputs = trainer.losses(trainer.on_device(next(iter(trainer.train_loader_x))))
    names, template = trainer.classnames, "a photo of a {}, a type of pet."
    cosines = (outputs.text_features * text_features_of(small_clip, names, template)).sum(dim=-1)
    assert float(terms["kg"].detach()) == pytest.approx(float(8 - 8 * cosines.mean()), rel=1e-9)
    assert set(terms) == {"ce", "kg"}


def test_npt_adds_its_terms_to_it(make_trainer):
    trainer = make_trainer("NPT_KgCoOp")
    terms, _ = trainer.losses(trainer.on_device(next(iter(trainer.train_loader_x))))
    assert set(terms) == {"ce", "kg", "lc", "mi"}


def test_a_negative_weight_is_refused(make_trainer):
    with pytest.raises(UserError, match=r"TRAINER\.COOP\.W is -1"):
        make_trainer("KgCoOp", "TRAINER.COOP.W", "-1")
