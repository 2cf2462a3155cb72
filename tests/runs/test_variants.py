"""Trainers with other settings: how they are written, and where their runs lie."""

from pathlib import Path

import pytest

from npt_plugin.errors import UserError
from npt_plugin.runs.layout import Place, parse
from npt_plugin.runs.variants import Method, method_name, suffix_of


def test_every_spelling_of_a_setting_is_one_variant():
    spellings = ("CoOp:lr=1e-2", "CoOp:OPTIM.LR=0.01", "CoOp:Lr=0.010", "CoOp:optim.lr=0.01")
    assert {Method.parse(word) for word in spellings} == {Method("CoOp", (("OPTIM.LR", "0.01"),))}
    assert Method.parse("CoOp:lr=0.1,loss=ldam") == Method.parse("CoOp:loss=ldam,lr=0.1")


def test_a_key_of_the_trainers_own_node_needs_its_last_part_only():
    assert Method.parse("NPT_MaPLe:n_ctx=4").settings == (("TRAINER.MAPLE.N_CTX", "4"),)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("CoOp:", "TRAINER:KEY=VALUE"),
        ("CoOp:loss", "TRAINER:KEY=VALUE"),
        ("CoOp:lr=1,", "TRAINER:KEY=VALUE"),
        ("CoOp:los=1", "did you mean 'loss'"),
        ("CoOp:lr=fast", "OPTIM.LR is 'fast'"),
        ("ZeroshotCLIP:n_ctx=4", "may mean"),
        ("CoOp:num_shots=4", "there is a flag for it"),
        ("CoOp:seed=4", "there is a flag for it"),
    ],
)
def test_a_word_that_cannot_be_meant_is_refused(word, said):
    with pytest.raises(UserError, match=said):
        Method.parse(word)


@pytest.mark.parametrize(
    "word",
    ["CoOp", "CoOp:loss=ldam,steps=-1", "MaPLe:size=(32, 32),lr=0.5", "CoOp:clip_weights=a/b"],
)
def test_a_path_says_the_variant(word):
    method = Method.parse(word)
    config = f"vit_b16_2+2ctx{method.suffix}"
    place = Place("few_shot", "", "dtd", 16, 0.06, method.trainer, config, 1)
    assert parse(place.folder(Path("out")).relative_to("out")) == place
    assert suffix_of(config) == method.suffix
    assert Method.parse(method_name(method.trainer, config)) == method
