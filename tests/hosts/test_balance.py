"""The terms' strength beside the host's loss: exact norms, the weights that equal them, once."""

from __future__ import annotations

import re

import pytest
import torch
from reference_trainers import labelled_batch

from npt_plugin.hosts.balance import Balance

WEIGHTS = {"lc": 10.0, "mi": 4.0}


def balance_of(*calls):
    balance = Balance()
    for tower, host, terms in calls:
        balance.add(tower, torch.tensor(host), torch.tensor(terms))
    return balance


def test_norms_are_summed_over_the_calls_of_a_tower():
    found = balance_of(
        ("image", [[3.0]], [[0.3]]), ("image", [[4.0]], [[0.4]]), ("text", [[12.0]], [[24.0]])
    )
    ratios = found.ratios()
    assert ratios == pytest.approx({"image": 0.1, "text": 2.0, "both": (0.25 + 576) ** 0.5 / 13})
    line = found.line(WEIGHTS, 1.0)
    assert "is 1.85 times the loss's, image 0.1, text 2;" in line
    assert line.endswith("with TRAINER.NPT.LAMBDA_LC 5.42 TRAINER.NPT.LAMBDA_MI 2.17")


def test_one_tower_and_a_ramp():
    found = balance_of(("text", [1.0], [0.5]))
    assert "is 2 times the loss's; equally" in found.line(WEIGHTS, 0.25)


@pytest.mark.parametrize(
    "host, terms", [(0.0, 1.0), (1.0, 0.0), (float("inf"), 1.0), (float("nan"), 1.0)]
)
def test_what_shows_no_ratio_says_nothing(host, terms):
    assert balance_of(("image", [host], [terms])).line(WEIGHTS, 1.0) is None
    assert Balance().line(WEIGHTS, 1.0) is None


@pytest.mark.parametrize("name", ["HostCoOp", "HostMaPLe"])
def test_the_weights_it_names_make_both_equally_strong(make, name, capsys):
    options: tuple[str, ...] = ("OPTIM.LR", "0.", "TRAINER.NPT.WARMUP_EPOCH", "4")
    shown = []
    for _ in range(2):
        trainer = make(name, *options)
        capsys.readouterr()
        batch = labelled_batch(trainer)
        trainer.forward_backward(batch)
        trainer.forward_backward(batch)
        (line,) = [r for r in capsys.readouterr().out.splitlines() if "in the first step" in r]
        shown.append(float(re.search(r"is (\S+) times", line)[1]))
        options += tuple(line.rpartition(" with ")[2].split())
    assert shown[0] != 1 and shown[1] == pytest.approx(1, rel=0.01)  # three digits are shown
