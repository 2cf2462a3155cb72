"""Checks of config keys that every trainer reads: each refusal is one sentence."""

import pytest

from npt_plugin.errors import UserError


@pytest.mark.parametrize("name", ["CoOp", "Decoder", "LinearProbe", "ZeroshotCLIP"])
def test_tau_normalisation_is_refused_where_it_would_do_nothing(make_trainer, name):
    with pytest.raises(UserError, match=r"TAU_NORM is 1\.0, but the classifier of .* no norms"):
        make_trainer(name, "TRAINER.IMBALANCE_LOSS.TAU_NORM", "1.0")


@pytest.mark.parametrize("key, value", [("MODEL.TEXT_CHUNK", "-2"), ("TRAIN.IMAGE_CHUNKS", "0")])
def test_impossible_values_are_refused_by_name(make_trainer, key, value):
    with pytest.raises(UserError, match=f"{key} is {value}"):
        make_trainer("CoOp", key, value)
