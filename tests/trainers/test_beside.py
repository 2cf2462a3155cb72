"""What is tested beside a result: the last epoch of an average, in training and later."""

import pytest
import torch
from trainer_checks import assert_same, learned

from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record
from npt_plugin.trainers.beside import LAST, instead

AVERAGED = ("TRAIN.AVERAGE", "gaussian", "TRAIN.AVERAGE_MEAN", "1", "TRAIN.AVERAGE_SD", "0.5")


def test_the_last_epoch_is_tested_beside_the_average(make_trainer, tmp_path):
    plain = make_trainer("CoOp", output=tmp_path / "plain")
    plain.train()
    averaged = make_trainer("CoOp", *AVERAGED, output=tmp_path / "averaged")
    averaged.train()
    of_last = read_record(tmp_path / "plain" / RESULTS).metrics
    record = read_record(tmp_path / "averaged" / RESULTS)
    assert list(record.beside) == [LAST]
    found = record.beside[LAST]
    same = ("accuracy", "macro_accuracy", "ece", "many", "medium", "few", "worst_class")
    assert {name: found[name] for name in same} == {name: of_last[name] for name in same}
    assert found["ece"] != record.metrics["ece"]


def test_it_is_found_where_the_run_is_only_tested(make_trainer, tmp_path):
    make_trainer("CoOp", *AVERAGED, output=tmp_path / "run").train()
    tester = make_trainer("CoOp", *AVERAGED, output=tmp_path / "tested")
    tester.load_model(str(tmp_path / "run"), epoch=2)
    tester.test()
    records = [read_record(tmp_path / name / RESULTS) for name in ("run", "tested")]
    assert records[0].beside == records[1].beside
    assert records[0].metrics == records[1].metrics


@pytest.mark.parametrize("name", ["CoOp", "VPT"])
def test_a_model_is_itself_again_afterwards(make_trainer, name):
    trainer = make_trainer(name)
    before = learned(trainer)
    other = {k: torch.zeros_like(v) for k, v in trainer.model.checkpoint_state().items()}
    with instead(trainer.model, other):
        assert all(not value.any() for value in learned(trainer).values())
    assert_same(learned(trainer), before)
