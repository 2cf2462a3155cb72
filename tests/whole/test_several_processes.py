"""train.py under torchrun: how it begins, ends, is interrupted and goes on, with one writer."""

from __future__ import annotations

import json
import time

import pytest
import torch
import trouble
from tolerance import gap

from npt_plugin.cli.train import main
from npt_plugin.runs.config_tree import flatten
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record
from npt_plugin.trainers.base import PromptTrainer

pytestmark = pytest.mark.slow

TRAIN = ("--trainer", "NPT_CoOp", "--seed", "1")
EPOCHS = ("OPTIM.MAX_EPOCH", "4", "TEST.NC_PER_EPOCH", "2", "TRAIN.CHECKPOINT_FREQ", "1")

NEW = ("DATASET.SUBSAMPLE_CLASSES", "new")


@pytest.fixture
def start(torchrun, train_words, tmp_path):
    """``start(2, "kill,1,5", "KEY", "value")``: a run in the folder ``out``."""

    def call(number, what, *options, out="out"):
        words = train_words(*TRAIN, "--output-dir", str(tmp_path / out), options=options)
        return torchrun(number, trouble.__file__, what, *words)

    return call


def sentences(done):
    """What a run says on stderr for itself."""
    return [line for line in done.stderr.splitlines() if line.startswith("error: ")]


def outcome(folder):
    """Learned tensors, and the record."""
    file = folder / "prompt_learner" / "model.pth.tar-4"
    return torch.load(file, weights_only=True)["state_dict"], read_record(folder / RESULTS)


@pytest.mark.numerics
def test_stopped_and_killed_it_goes_on_with_any_number_of_processes(
    start, train_words, tmp_path, monkeypatch
):
    """One process, stopped; two, killed; three, stopped; one again: as one undisturbed."""
    here = train_words(*TRAIN, "--output-dir", str(tmp_path / "out"), options=EPOCHS)
    with monkeypatch.context() as patch:
        patch.setattr(PromptTrainer, "forward_backward", trouble.troubled("term", 0, 4))
        assert main(here) == 143
    done = start(2, "kill,1,5", *EPOCHS)
    said = sentences(done)
    assert "(will resume training at epoch 2)" in done.stdout
    assert done.returncode != 0 and len(said) == 1 and "killed" in said[0], done.stderr
    done = start(3, "term,2,5", *EPOCHS)
    assert "(will resume training at epoch 3)" in done.stdout
    assert "processes 2 -> 3" in done.stdout
    assert sentences(done) == ["error: interrupted by SIGTERM"] and "exitcode  : 143" in done.stderr
    record = read_record(tmp_path / "out" / RESULTS)
    assert (record.status, record.reason) == ("failed", "Stopped: interrupted by SIGTERM")
    assert main(here) == 0
    assert main(train_words(*TRAIN, "--output-dir", str(tmp_path / "one"), options=EPOCHS)) == 0
    learned, record = outcome(tmp_path / "out")
    wanted, reference = outcome(tmp_path / "one")
    assert all(gap(learned[name], wanted[name]) < 1e-12 for name in wanted)
    for found, expected in zip(record.history, reference.history, strict=True):
        assert flatten(found) == pytest.approx(flatten(expected))
    assert flatten(record.metrics) == pytest.approx(flatten(reference.metrics))


def test_one_process_writes_and_speaks(start, tmp_path):
    unseeded = ("SEED", "-1", "DATASET.NUM_SHOTS", "2")  # and both draw the same images
    tested = ("TEST.FINAL_MODEL", "best_val", "TEST.COMPUTE_CMAT", "True")
    done = start(2, "none", *unseeded, *tested)
    assert done.returncode == 0, done.stderr
    assert "# train_x  6" in done.stdout
    out = tmp_path / "out"
    assert len(list(out.glob("log.txt*"))) == 1 and len(list((out / "tensorboard").iterdir())) == 1
    for once in ("Finish training", "=> result", "Results written to", "Loading CLIP"):
        assert done.stdout.count(once) == (3 if once == "=> result" else 1), once
    assert done.stdout.count("total: 15") == 1  # test images
    assert not list(out.rglob(".*"))
    assert read_record(out / RESULTS).versions["processes"] == "2"


@pytest.mark.numerics
@pytest.mark.parametrize("trainer", ["NPT_CoOp", "CoCoOp"])
def test_new_classes_are_judged_with_the_base_classes_as_by_one_process(
    trainer, torchrun, train_words, tmp_path
):
    def words(out, *flags, classes):
        start = ("--trainer", trainer, "--seed", "1", "--output-dir", str(tmp_path / out))
        return train_words(*start, *flags, options=("DATASET.SUBSAMPLE_CLASSES", classes))

    assert main(words("base", classes="base")) == 0
    test = ("--eval-only", "--model-dir", str(tmp_path / "base"), "--load-epoch", "2")
    assert main(words("one", *test, classes="new")) == 0
    done = torchrun(2, trouble.__file__, "none", *words("two", *test, classes="new"), wait=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("* joint: ") == 1
    found, wanted = (read_record(tmp_path / out / RESULTS).metrics for out in ("two", "one"))
    assert found["open_world"].pop("taken") == pytest.approx(wanted["open_world"].pop("taken"))
    assert flatten(found) == pytest.approx(flatten(wanted))


def test_without_the_base_run_all_leave_out_what_needs_it(torchrun, train_words, tmp_path):
    words = train_words(*TRAIN, "--output-dir", str(tmp_path), options=NEW)
    done = torchrun(2, trouble.__file__, "none", *words, wait=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("together: left out. The folder of the run") == 1


@pytest.mark.parametrize(
    ("what", "code", "sentence"),
    [
        ("user,1,2", 2, "error: Something is wrong with this image."),
        ("bug,1,2", 1, None),
        ("stuck,1,2", 1, "did not answer for 5 seconds"),
    ],
)
def test_trouble_of_one_process_ends_all(start, tmp_path, what, code, sentence):
    began = time.monotonic()
    done = start(2, what)
    assert done.returncode != 0 and time.monotonic() - began < 90
    record = json.loads((tmp_path / "out" / RESULTS).read_text())
    assert record["status"] == "failed"
    if sentence:
        (said,) = sentences(done)
        assert sentence in said and record["reason"] in said
    else:
        assert done.stderr.count("TypeError: a mistake of ours") == 1
        assert record["reason"] == "TypeError: a mistake of ours"
    assert f"exitcode  : {code}" in done.stderr


def test_a_mistake_is_one_sentence_and_leaves_nothing(start, tmp_path):
    done = start(2, "none", "OPTIM.NOTHING", "1")
    (said,) = sentences(done)
    assert "OPTIM.NOTHING" in said and not (tmp_path / "out").exists()
    assert "exitcode  : 2" in done.stderr
