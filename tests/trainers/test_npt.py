"""NPT is its base trainer with terms: none at weight 0, each by its own name otherwise."""

import pytest
import torch
from trainer_checks import assert_same, learned

from npt_plugin.errors import UserError
from npt_plugin.trainers import BASE_TRAINERS, NPT_TRAINERS

OFF = ("TRAINER.NPT.LAMBDA_LC", "0.", "TRAINER.NPT.LAMBDA_MI", "0.")


@pytest.mark.parametrize("name", sorted(NPT_TRAINERS))
def test_zero_weights_train_the_base_trainer_bit_for_bit(make_trainer, tmp_path, name):
    ours = make_trainer(name, *OFF, output=tmp_path / "a")
    start = learned(ours)
    ours.train()
    base = make_trainer(name.removeprefix("NPT_"), output=tmp_path / "b")
    base.train()
    assert_same(learned(ours), learned(base))
    assert any(not torch.equal(start[n], p) for n, p in learned(ours).items())


@pytest.mark.parametrize("name", sorted(NPT_TRAINERS))
def test_terms_change_training_and_are_logged_by_name(make_trainer, tmp_path, capsys, name):
    plain = make_trainer(name, *OFF, output=tmp_path / "a")
    plain.train()
    capsys.readouterr()
    ours = make_trainer(name, output=tmp_path / "b")
    ours.train()
    out = capsys.readouterr().out
    assert " lc " in out and " mi " in out and " ce" in out  # Candle has three
    assert any(not torch.equal(p, learned(plain)[n]) for n, p in learned(ours).items())


def test_at_weight_0_there_is_no_term(make_trainer):
    trainer = make_trainer("NPT_CoOp", *OFF)
    batch = trainer.on_device(next(iter(trainer.train_loader_x)))
    terms, outputs = trainer.losses(batch)
    assert set(terms) == {"ce"} and trainer.objective(outputs, batch["label"]) == {}


def test_npt_reads_its_own_keys_beside_its_base_trainer_s():
    for name, trainer in NPT_TRAINERS.items():
        base = BASE_TRAINERS[name.removeprefix("NPT_")]
        assert issubclass(trainer, base) and trainer.model_class is base.model_class
        assert trainer.config_nodes() == base.config_nodes() | {"NPT", "ZSCLIP"}


def test_a_host_s_trainer_is_asked_for_where_there_is_none(make_trainer):
    with pytest.raises(UserError, match="BASE is 'host', but this project has no CoOp of its own"):
        make_trainer("NPT_CoOp", "TRAINER.NPT.BASE", "host")
    with pytest.raises(UserError, match="AT is 'logits', but NPT_CoOp is ours"):
        make_trainer("NPT_CoOp", "TRAINER.NPT.AT", "logits")
