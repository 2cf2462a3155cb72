"""All names against each other: equal to a plain model with all names, and without disturbance."""

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.evaluation.open_world import MEASURES
from npt_plugin.evaluation.posthoc import posthoc_adjust
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.predictions import PREDICTIONS, Predictions
from npt_plugin.runs.record import read_record
from npt_plugin.system.random_state import rng_digest
from npt_plugin.trainers import all_names
from npt_plugin.trainers.all_names import BaseRun, NewTest, all_logits
from npt_plugin.trainers.evaluate import collect_outputs

NEW = ("DATASET.SUBSAMPLE_CLASSES", "new")
ALL = ("DATASET.SUBSAMPLE_CLASSES", "all")
RARE = ("DATASET.IMBALANCE.RATIO", "0.5", "OPTIM.MAX_EPOCH", "1")
TEXT_HEAD = ("TRAINER.HEAD.NAME", "text", "TRAINER.FINE_TUNE.TOWERS", "both")


@pytest.fixture
def halves(make_trainer, tmp_path):
    """``halves("CoOp", "KEY", "value")``: a finished run on base classes, a trainer of new ones."""

    def make(name, *options):
        base = make_trainer(name, *RARE, *options, output=tmp_path / "base")
        base.train()
        new = make_trainer(name, *RARE, *options, *NEW, output=tmp_path / "new")
        new.trained_in = str(tmp_path / "base")
        new.load_model(new.trained_in, epoch=1)
        return base, new

    return make


@torch.inference_mode()
def seen_by(trainer):
    trainer.set_model_mode("eval")
    with trainer.tested_weights():
        return collect_outputs(trainer, trainer.test_loader, None)


def table_of(base, new):
    """What ``all_logits`` makes of two tests."""
    kept = Predictions(*seen_by(base), list(base.classnames))
    run = BaseRun.of(new)._replace(predictions=kept)
    logits, labels, features, _ = seen_by(new)
    with torch.inference_mode():
        return all_logits(new, run, NewTest(logits, labels, features))


@pytest.mark.numerics
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("CoOp", ()),
        ("NPT_CoOp", ()),
        ("CoCoOp", ()),
        ("MaPLe", ()),
        ("VPT", ()),
        ("ZeroshotCLIP", ()),
        ("FineTune", TEXT_HEAD),
        ("FineTune", (*TEXT_HEAD, "TRAINER.FINE_TUNE.EMA", "0.5")),
    ],
)
def test_the_table_is_that_of_a_plain_model_with_all_names(halves, make_trainer, name, options):
    base, new = halves(name, *options)
    logits, labels = table_of(base, new)
    plain = make_trainer(name, *RARE, *options, *ALL)
    plain.load_model(new.trained_in, epoch=1)
    expected, true, _, _ = seen_by(plain)
    assert logits.shape == (30, 6) and torch.equal(labels, true)
    assert gap(logits, expected) <= DOUBLE


@pytest.mark.numerics
def test_the_prior_is_taken_out_of_base_names_from_equal_frequencies(halves):
    base, new = halves("CoOp")
    plain, _ = table_of(base, new)
    for trainer in (base, new):
        trainer.cfg.defrost()
        trainer.cfg.TRAINER.IMBALANCE_LOSS.POSTHOC_TAU = 1.5
    adjusted, _ = table_of(base, new)
    shares = base.class_counts.double() / base.class_counts.sum()
    assert gap(adjusted[:, :3], plain[:, :3] - 1.5 * (3 * shares).log()) <= DOUBLE
    assert torch.equal(adjusted[:, 3:], plain[:, 3:])
    even = (
        posthoc_adjust(plain[:, :3], torch.tensor([4, 4, 4]), 1.5) - 1.5 * torch.tensor(3.0).log()
    )
    assert gap(even, plain[:, :3]) <= DOUBLE  # balanced data are left as they are


def test_a_test_on_new_classes_records_them_and_changes_nothing_else(halves, tmp_path, capsys):
    _, new = halves("CoOp")
    new.test()
    found = read_record(tmp_path / "new" / RESULTS).metrics
    together = found.pop("open_world")
    assert list(together)[: len(MEASURES)] == list(MEASURES) and len(together["taken"]) == 3
    assert "* openworld_auc: " in capsys.readouterr().out
    torch.manual_seed(0)
    new.test()
    after = rng_digest()
    torch.manual_seed(0)
    new.trained_in = ""
    new.test()
    assert rng_digest() == after
    assert read_record(tmp_path / "new" / RESULTS).metrics == found  # to the last bit
    assert "left out. The folder of the run on the base classes" in capsys.readouterr().out


def test_without_what_is_needed_one_line_says_so(halves, tmp_path, capsys):
    _, new = halves("MaPLe")
    new.tested_epoch = 7
    new.test()
    assert "learns the image side, and" in capsys.readouterr().out
    new.tested_epoch = 1
    (tmp_path / "base" / PREDICTIONS).unlink()
    new.test()
    assert "TEST.SAVE_PREDICTIONS" in capsys.readouterr().out
    assert "open_world" not in read_record(tmp_path / "new" / RESULTS).metrics


def test_a_run_on_other_classes_or_data_is_none_on_the_base_classes(halves, tmp_path, capsys):
    _, new = halves("CoOp")
    path = tmp_path / "base" / RESULTS
    path.write_text(path.read_text().replace('"classes": "base"', '"classes": "all"'))
    new.test()
    assert "holds no completed run on the base classes of OxfordPets" in capsys.readouterr().out


def test_where_another_process_lacks_the_base_run_all_leave_it_out(halves, monkeypatch, capsys):
    _, new = halves("CoOp")
    monkeypatch.setattr(all_names, "largest", lambda own: 1)
    monkeypatch.setattr(all_names, "all_logits", None)  # in which the processes would meet
    new.test()
    assert "left out. Not every process of this run can read" in capsys.readouterr().out
