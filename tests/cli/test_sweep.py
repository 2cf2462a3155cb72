"""``npt sweep``: what its flags ask for."""

import pytest

from npt_plugin.cli import main as cli
from npt_plugin.cli import sweep
from npt_plugin.cli.overrides import parse_with_overrides
from npt_plugin.errors import UserError


def grid(*words):
    return sweep.grid_of(parse_with_overrides(sweep.parser(), words))


def test_config_keys_follow_opts_and_flags_may_follow_them():
    asked = grid("--datasets", "a", "b", "--opts", "OPTIM.LR", "0.1", "SEED", "-1", "--seeds", "4")
    assert asked.datasets == ["a", "b"] and asked.seeds == [4]
    assert asked.options == ("OPTIM.LR", "0.1", "SEED", "-1")
    assert grid("--datasets", "a").options == ()


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["--datasets", "a", "--jobs", "-1"], "--jobs is -1"),
        ([], "--datasets is missing"),
        (["--datasets", "a", "--opts", "OPTIM.LR=0.1"], "'OPTIM.LR 0.1', not 'OPTIM.LR=0.1'"),
        (["--datasets", "a", "--rations", "1"], "did you mean '--ratios'"),
    ],
)
def test_a_mistake_is_one_sentence(words, sentence, capsys):
    assert cli.main(["sweep", *words]) == 2
    err = capsys.readouterr().err
    assert sentence in err and err.count("\n") == 1


def test_equal_steps_is_a_word():
    assert grid("--datasets", "a").options == ()
    asked = grid("--datasets", "a", "--budget", "equal-steps", "--opts", "OPTIM.LR", "0.1")
    assert asked.options == ("TRAIN.STEPS", "-1", "OPTIM.LR", "0.1")


def test_seeds_may_be_ranges():
    assert grid("--datasets", "a").seeds == [1, 2, 3]
    assert grid("--datasets", "a", "--seeds", "0", "7-9", "8").seeds == [0, 7, 8, 9]
    for wrong in ("3-1", "x", "-1", "1.5"):
        with pytest.raises(UserError, match="--seeds has"):
            sweep.numbers([wrong])
