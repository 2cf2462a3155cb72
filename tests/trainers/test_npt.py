"""NPT is its base trainer with terms: none at weight 0, each by its own name otherwise."""

import pytest
import torch
from trainer_checks import assert_same, learned

from npt_plugin.trainers import NPT_TRAINERS

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
    assert " lc " in out and " mi " in out and " ce " in out
    assert any(not torch.equal(p, learned(plain)[n]) for n, p in learned(ours).items())
