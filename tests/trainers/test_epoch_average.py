"""The Gaussian average of a run's epochs: its weights, its sum, its resumption, what is tested."""

import math

import pytest
import torch
from trainer_checks import assert_same, learned

from npt_plugin.errors import UserError
from npt_plugin.runs.layout import LAST_EPOCH, RESULTS, checkpoint_file
from npt_plugin.runs.record import read_record
from npt_plugin.system.safe_checkpoints import read_checkpoint
from npt_plugin.trainers.epoch_average import EpochAverage, gaussian_weights

GAUSSIAN = ("TRAIN.AVERAGE", "gaussian", "TRAIN.AVERAGE_MEAN", "3", "TRAIN.AVERAGE_SD", "1.5")
FOUR = ("OPTIM.MAX_EPOCH", "4", *GAUSSIAN)


def test_weights_are_the_published_density_over_its_sum():
    for epochs, mean, sd in ((20, 15, 1), (20, 6, 10), (50, 30, 30), (3, 2.5, 0.7)):
        density = [
            math.exp(-0.5 * ((e - mean) / sd) ** 2) / (sd * math.sqrt(2 * math.pi))
            for e in range(1, epochs + 1)
        ]
        expected = [d / sum(density) for d in density]
        assert gaussian_weights(epochs, mean, sd) == pytest.approx(expected, rel=1e-12)


def test_a_spread_so_small_that_every_density_is_zero_takes_the_nearest_epoch():
    assert gaussian_weights(3, 2.4, 1e-3) == [0.0, 1.0, 0.0]


def epochs_apart(trainer):
    """Train; returns what each epoch had learned at its end, before any average."""
    ends, done = [], trainer.after_epoch

    def after_epoch():
        ends.append(learned(trainer))
        done()

    trainer.after_epoch = after_epoch
    trainer.train()
    return ends


@pytest.mark.parametrize("name", ["CoOp", "NPT_MaPLe"])
def test_what_is_tested_and_kept_is_the_weighted_sum_of_the_epochs(make_trainer, tmp_path, name):
    trainer = make_trainer(name, *FOUR, output=tmp_path / "run")
    ends = epochs_apart(trainer)
    weights = gaussian_weights(4, 3, 1.5)
    for parameter, value in learned(trainer).items():
        slow = sum(w * end[parameter].double() for w, end in zip(weights, ends, strict=True))
        # four products and sums in float32, each rounded by at most 2^-24 of what is added
        assert (value.double() - slow).abs().max() <= 8 * 2**-24 * slow.abs().max()
        assert not torch.equal(value, ends[-1][parameter])
    model = trainer.model
    final = read_checkpoint(checkpoint_file(tmp_path / "run", model.checkpoint_name, 4))
    assert_same(final["state_dict"], model.checkpoint_state())
    beside = checkpoint_file(tmp_path / "run", model.checkpoint_name, 4).with_name(LAST_EPOCH)
    last = {model.checkpoint_key(n): t for n, t in ends[-1].items()}
    assert_same(read_checkpoint(beside)["state_dict"], last)


def test_without_it_nothing_is_kept_beside(make_trainer, tmp_path):
    trainer = make_trainer("CoOp", output=tmp_path / "run")
    trainer.train()
    assert trainer.epoch_average is None and not list((tmp_path / "run").rglob(LAST_EPOCH))


def test_training_itself_is_that_of_a_run_without(make_trainer, tmp_path):
    plain = epochs_apart(make_trainer("CoOp", "OPTIM.MAX_EPOCH", "4", output=tmp_path / "plain"))
    averaged = epochs_apart(make_trainer("CoOp", *FOUR, output=tmp_path / "averaged"))
    for one, other in zip(plain, averaged, strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("epoch", [0, 2, 3])
def test_an_interrupted_run_ends_as_an_uninterrupted_one(make_trainer, tmp_path, epoch):
    """Cut after an epoch whose progress is on disk; after the last one only the test is left."""
    whole = make_trainer("CoOp", *FOUR, output=tmp_path / "whole")
    whole.train()

    class Interrupted(Exception):
        pass

    cut = make_trainer("CoOp", *FOUR, output=tmp_path / "cut")
    done = cut.after_epoch

    def stop():
        done()
        if cut.epoch == epoch:
            raise Interrupted

    cut.after_epoch = stop
    with pytest.raises(Interrupted):
        cut.train()
    torch.manual_seed(99)
    again = make_trainer("CoOp", *FOUR, output=tmp_path / "cut")
    again.train()
    assert_same(learned(again), learned(whole))
    assert_same(again.epoch_average.last, whole.epoch_average.last)
    assert_same(again.epoch_average.total, whole.epoch_average.total)
    one, other = (read_record(tmp_path / d / RESULTS) for d in ("whole", "cut"))
    assert one.metrics == other.metrics


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("TRAIN.AVERAGE", "gauss"), "choose one of gaussian"),
        (("TRAIN.AVERAGE", "gaussian"), r"MEAN is 15; .* from 1 to OPTIM.MAX_EPOCH, 2"),
        ((*GAUSSIAN[:2], "TRAIN.AVERAGE_MEAN", "0.5"), "AVERAGE_MEAN is 0.5"),
        ((*GAUSSIAN[:2], "TRAIN.AVERAGE_MEAN", "1", "TRAIN.AVERAGE_SD", "0"), "above 0"),
        ((*FOUR, "TEST.FINAL_MODEL", "best_val"), "set that to last_step"),
    ],
)
def test_what_cannot_be_averaged_is_refused(make_trainer, options, said):
    with pytest.raises(UserError, match=said):
        make_trainer("CoOp", *options)


def test_a_state_goes_through_a_file_unchanged():
    average = EpochAverage([0.25, 0.75])
    average.epoch_done(0, {"a": torch.ones(2, dtype=torch.float16)})
    again = EpochAverage([0.25, 0.75])
    again.load_state_dict(average.state_dict(), torch.device("cpu"))
    value = torch.full((2,), 3.0)
    again.epoch_done(1, {"a": value})
    assert torch.equal(value, torch.full((2,), 2.5)) and torch.equal(again.last["a"], value + 0.5)
