"""``npt list``: every name with a line about it."""

from types import SimpleNamespace

import pytest

from npt_plugin.cli import list as list_command
from npt_plugin.cli import main as cli
from npt_plugin.cli.list import KINDS
from npt_plugin.config import KEYS
from npt_plugin.errors import UserError
from npt_plugin.heads import HEADS
from npt_plugin.losses.registry import CLASSIFICATION_LOSSES


def listed(capsys, *words):
    """What is printed: the first word of each line, and the rest."""
    assert cli.main(["list", *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    return {line.split()[0]: " ".join(line.split()[1:]) for line in lines}


@pytest.mark.parametrize(
    "kind, name, about",
    [
        ("trainers", "NPT_MaPLe", "NPT on MaPLe."),
        ("trainers", "NPT-MaPLe", "the same as NPT_MaPLe"),
        ("trainers", "ZeroshotCLIP", "template published for each dataset"),
        ("trainers", "LinearProbe", "on frozen features"),
        ("datasets", "OxfordPets", "Oxford-IIIT Pet"),
        ("datasets", "ImbalancedOxfordPets", "OxfordPets; the name to take in a Dassl project"),
        ("datasets", "EmbeddedPairs", "Pairs of a colour and an object"),
        ("losses", "balanced_softmax", "logits + log prior"),
        ("heads", "linear", "tau-normalised"),
        ("second-stages", "crt", "a new classifier on frozen features"),
        ("backbones", "ViT-B/16", "149.6 M, 224 px, OpenAI, licence MIT: text"),
        ("keys", "DATASET.IMBALANCE.RATIO", "1.0 tau = n_min / n_max"),
    ],
)
def test_a_name_has_a_line(kind, name, about, capsys):
    assert about in listed(capsys, kind)[name]


@pytest.mark.parametrize("kind", KINDS)
def test_no_name_is_bare(kind, capsys):
    names = listed(capsys, kind)
    assert names and all(names.values()), names


def test_without_a_kind_the_kinds_are_counted(capsys):
    kinds = listed(capsys)
    assert list(kinds) == list(KINDS)
    assert kinds["losses"].startswith(f"{len(CLASSIFICATION_LOSSES)} ") and kinds[
        "heads"
    ].startswith(f"{len(HEADS)} ")


def test_all_heads_are_listed(capsys):
    assert sorted(listed(capsys, "heads")) == sorted(HEADS)


def test_a_part_of_a_name_is_enough(capsys):
    found = listed(capsys, "keys", "lambda")
    assert set(found) == {key.name for key in KEYS if "LAMBDA" in key.name}
    assert list(listed(capsys, "trainers", "npt_cooP")) == ["NPT_CoOp"]


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["keys", "nonsense"], "None of the keys has 'nonsense' in its name"),
        (["losses", "--markdown"], "--markdown goes with `npt list keys` alone"),
    ],
)
def test_what_is_not_there_is_refused(words, sentence, capsys):
    assert cli.main(["list", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_backbones_end_with_what_open_clip_has_or_how_to_get_it(capsys, monkeypatch):
    def missing():
        raise UserError("none")

    monkeypatch.setattr(list_command, "open_clip_module", missing)
    assert cli.main(["list", "backbones"]) == 0
    assert "not installed: pip install 'npt-plugin[backbones]'" in capsys.readouterr().out
    monkeypatch.setattr(
        list_command, "open_clip_module", lambda: SimpleNamespace(list_pretrained=lambda: [1] * 7)
    )
    assert cli.main(["list", "backbones"]) == 0
    assert "has weights of 7 models" in capsys.readouterr().out
