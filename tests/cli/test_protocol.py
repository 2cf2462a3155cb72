"""``npt protocol``: the job that its words ask for."""

import pytest

from npt_plugin.cli import main as cli
from npt_plugin.cli import protocol
from npt_plugin.cli.overrides import parse_with_overrides
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.protocols import VARIANTS


def job(*words):
    common = ["--trainer", "NPT_CoOp", "--seed", "3"]
    return protocol.job_of(parse_with_overrides(protocol.parser(), [*words, *common]))


def test_the_words_of_a_job():
    where = ["--root", "data", "--output", "out", "--backbone", "B"]
    asked = ["--config", "mine", "--ratio", "0.25", "OPTIM.LR", "0.1", "--shots", "8"]
    assert job("base2new", "--dataset", "pets", *where, *asked) == Job(
        dataset="pets",
        trainer="NPT_CoOp",
        config="mine",
        seed=3,
        ratio=0.25,
        shots=8,
        root="data",
        output="out",
        options=("OPTIM.LR", "0.1"),
        protocol="base2new",
        backbone="B",
    )


def test_without_a_config_the_published_one_is_taken():
    assert job("base2new", "--dataset", "embedded_objects").config == "tiny_ep50_ctxv1"
    assert job("base2new", "--dataset", "oxford_pets", "--backbone", "RN50").config[:4] == "rn50"


def test_a_test_alone_is_on_its_dataset_after_training_on_the_source():
    asked = job("xd", "--dataset", "eurosat", "--part", "test")
    assert (asked.dataset, asked.targets) == ("imagenet", ("eurosat",))


def test_domain_generalisation_has_its_four_targets_unless_others_are_named():
    assert job("dg", "--dataset", "imagenet").targets == VARIANTS
    assert job("dg", "--dataset", "imagenet", "--target", "a", "--target", "b").targets == (
        "a",
        "b",
    )


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["base2new", "--dataset", "pets", "OPTIM.LR=1"], "'OPTIM.LR 1', not 'OPTIM.LR=1'"),
        (["base2new", "--dataset", "pets", "--rati0", "1"], "Unknown flag '--rati0'"),
        (["base2new", "--dataset", "pets", "--trainer", "Mine"], "No published config of Mine"),
    ],
)
def test_a_mistake_is_one_sentence(words, sentence, capsys):
    assert cli.main(["protocol", *words[:1], "--trainer", "CoOp", "--seed", "1", *words[1:]]) == 2
    err = capsys.readouterr().err
    assert sentence in err and err.count("\n") == 1


def test_the_command_runs_the_job_with_its_parts(monkeypatch):
    calls = []
    monkeypatch.setattr(protocol, "run_job", lambda *asked: calls.append(asked))
    words = ["protocol", "base2new", "--dataset", "embedded_objects", "--trainer", "CoOp"]
    assert cli.main([*words, "--seed", "1", "--part", "new", "SEED", "2", "--load-epoch", "5"]) == 0
    ((asked, configs, parts, epoch),) = calls
    assert (asked.options, parts, epoch) == (("SEED", "2"), ["new"], 5)
    assert (configs / "datasets" / "embedded_objects.yaml").is_file()
