"""``npt sweep``: what its flags ask for."""

import pytest

from npt_plugin.cli import main as cli
from npt_plugin.cli import sweep
from npt_plugin.cli.overrides import parse_with_overrides


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
        (["--datasets", "a", "--jobs", "0"], "--jobs is 0"),
        ([], "--datasets is missing"),
        (["--datasets", "a", "--opts", "OPTIM.LR=0.1"], "'OPTIM.LR 0.1', not 'OPTIM.LR=0.1'"),
        (["--datasets", "a", "--rations", "1"], "did you mean '--ratios'"),
    ],
)
def test_a_mistake_is_one_sentence(words, sentence, capsys):
    assert cli.main(["sweep", *words]) == 2
    err = capsys.readouterr().err
    assert sentence in err and err.count("\n") == 1
