import re
import sys

import pytest
import torch
from minidassl.data.datasets import DATASET_REGISTRY, DatasetBase
from minidassl.engine import (
    TRAINER_REGISTRY,
    SimpleTrainer,
    TrainerBase,
    TrainerX,
    TrainerXU,
    build_trainer,
)
from minidassl.utils import AverageMeter, MetricMeter, load_checkpoint, set_random_seed
from torch import nn

EPOCH_LINE = re.compile(
    r"epoch \[(\d+)/3\] batch \[(\d+)/4\] time \d+\.\d{3} \(\d+\.\d{3}\) "
    r"data \d+\.\d{3} \(\d+\.\d{3}\) loss (\d+\.\d{4}) \(\d+\.\d{4}\) "
    r"acc (\d+\.\d{4}) \(\d+\.\d{4}\) lr (\d\.\d{4}e-\d\d) eta \d:\d\d:\d\d$"
)


def accuracy_by_parse_script(log):
    """The logic of CoOp's parse_test_res.py."""
    value, finished = None, False
    for line in log.splitlines():
        finished = finished or line.strip() == "Finish training"
        match = re.search(r"\* accuracy: ([\.\deE+-]+)%", line)
        if match and finished:
            value = float(match.group(1))
    return value


def trained(cfg):
    set_random_seed(0)
    trainer = build_trainer(cfg)
    trainer.train()
    return trainer


def test_run_learns_logs_and_saves(cfg, capsys, tmp_path):
    trainer = trained(cfg)
    log = capsys.readouterr().out
    lines = [EPOCH_LINE.match(line) for line in log.splitlines() if line.startswith("epoch [")]
    assert [m.group(1, 2) for m in lines] == [(e, b) for e in "123" for b in "24"]
    assert lines[0].group(5) == "1.0000e-05" and lines[2].group(5) == "1.0000e-02"
    # the trainer steps the schedule in the last batch, so its line has the next epoch's rate
    assert lines[1].group(5) == "1.0000e-02"
    order = [
        "No checkpoint found, train from scratch",
        "Initialize tensorboard",
        "Checkpoint",
        "Finish training",
        "Deploy the last-epoch model",
        "Evaluate on the *test* set",
        "=> result",
        "Elapsed: 0:00",
    ]
    places = [log.index(text) for text in order]
    assert places == sorted(places)
    assert (
        accuracy_by_parse_script(log) == pytest.approx(trainer.test(), abs=0.05)
        and trainer.test() > 60
    )
    folder = tmp_path / "out" / "linear"
    assert sorted(p.name for p in folder.iterdir()) == ["checkpoint", "model.pth.tar-3"]
    assert list((tmp_path / "out" / "tensorboard").iterdir())


def test_progress_goes_to_a_terminal_only(cfg, capsys, monkeypatch):
    trainer = build_trainer(cfg)
    trainer.test()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    trainer.test()
    out, err = capsys.readouterr()
    assert "%|" in err and "%|" not in out


def test_interrupted_run_resumes_with_the_same_schedule(cfg):
    cfg.TRAIN.CHECKPOINT_FREQ = 1
    seen = []

    class Recorded(TRAINER_REGISTRY.get(cfg.TRAINER.NAME)):
        def after_epoch(self):
            super().after_epoch()
            seen.append((self.epoch, self.get_current_lr(), self.sched.last_epoch))
            if self.epoch == stop:
                raise KeyboardInterrupt

    TRAINER_REGISTRY._objects[cfg.TRAINER.NAME] = Recorded
    stop = 1
    with pytest.raises(KeyboardInterrupt):
        trained(cfg)
    stop = -1
    resumed = trained(cfg)
    assert [epoch for epoch, *_ in seen] == [0, 1, 2]
    interrupted, seen[:] = list(seen), []
    cfg.OUTPUT_DIR += "_straight"
    straight = trained(cfg)
    assert interrupted == seen
    assert resumed.start_epoch == 2 and straight.start_epoch == 0


def test_resume_from_another_folder(cfg, capsys):
    trained(cfg)
    cfg.RESUME, cfg.OUTPUT_DIR = cfg.OUTPUT_DIR, cfg.OUTPUT_DIR + "_new"
    cfg.OPTIM.MAX_EPOCH = 4
    trainer = trained(cfg)
    assert trainer.start_epoch == 3 and "will resume training" in capsys.readouterr().out


def test_folder_without_checkpoint_starts_from_scratch(cfg, tmp_path, capsys):
    (tmp_path / "out" / "linear").mkdir(parents=True)
    assert build_trainer(cfg).resume_model_if_exist(cfg.OUTPUT_DIR) == 0
    assert "train from scratch" in capsys.readouterr().out


def test_best_val_model_is_kept_and_deployed(cfg, capsys):
    cfg.TEST.FINAL_MODEL = "best_val"
    trainer = trained(cfg)
    log = capsys.readouterr().out
    assert log.count("Evaluate on the *val* set") == 3
    assert "Deploy the model with the best val performance" in log
    best = load_checkpoint(f"{cfg.OUTPUT_DIR}/linear/model-best.pth.tar")
    assert best["val_result"] == trainer.best_result
    assert re.search(r"Load \S+model-best.pth.tar to linear \(epoch=\d, val_result=[\d.]+\)", log)


def test_best_model_is_the_best_not_the_latest(cfg, monkeypatch):
    results = iter([50.0, 70.0, 60.0])
    cfg.TEST.FINAL_MODEL = "best_val"
    trainer = build_trainer(cfg)
    monkeypatch.setattr(trainer, "test", lambda split=None: next(results) if split else None)
    trainer.train()
    best = load_checkpoint(f"{cfg.OUTPUT_DIR}/linear/model-best.pth.tar")
    assert (best["epoch"], best["val_result"]) == (2, 70.0)


def test_remaining_time_counts_the_batches_to_come(cfg):
    trainer = build_trainer(cfg)
    trainer.num_batches, trainer.batch_idx = 4, 2  # one more here, four in the last epoch
    trainer.epoch, trainer.max_epoch = 1, 3
    seconds = AverageMeter()
    seconds.update(30.0)
    assert trainer._progress(seconds, AverageMeter(), MetricMeter()).endswith("eta 0:02:30")


def test_last_checkpoint_loads_although_it_has_no_val_result(cfg, capsys):
    weights = trained(cfg).model[1].weight
    fresh = build_trainer(cfg)
    assert not torch.equal(fresh.model[1].weight, weights)
    fresh.load_model(cfg.OUTPUT_DIR, epoch=3)
    assert torch.equal(fresh.model[1].weight, weights)
    assert "(epoch=3, val_result=None)" in capsys.readouterr().out
    with pytest.raises(FileNotFoundError, match="model.pth.tar-9"):
        fresh.load_model(cfg.OUTPUT_DIR, epoch=9)
    fresh.load_model("")
    assert "load_model() is skipped" in capsys.readouterr().out


def test_no_test_and_test_split(cfg, capsys):
    cfg.TEST.SPLIT = "val"
    trainer = build_trainer(cfg)
    trainer.test()
    assert "* total: 6\n" in capsys.readouterr().out
    trainer.val_loader = None
    trainer.test(split="val")
    assert "Evaluate on the *test* set" in capsys.readouterr().out
    cfg.TEST.NO_TEST = True
    trained(cfg)
    assert "Evaluate" not in capsys.readouterr().out


def test_loss_that_is_not_finite_stops_training(cfg):
    trainer = build_trainer(cfg)
    before = trainer.model[1].weight.clone()
    with pytest.raises(FloatingPointError, match="Loss is infinite or NaN!"):
        trainer.model_backward_and_update(trainer.model[1].weight.sum() * float("nan"))
    assert torch.equal(trainer.model[1].weight, before)


def test_mode_and_names(cfg):
    trainer = build_trainer(cfg)
    trainer.set_model_mode("eval")
    assert not trainer.model.training
    trainer.set_model_mode("train", "linear")
    assert trainer.model.training
    with pytest.raises(KeyError):
        trainer.set_model_mode("fast")
    with pytest.raises(AssertionError, match="other"):
        trainer.update_lr("other")
    with pytest.raises(AssertionError, match="linear"):
        trainer.register_model("linear", trainer.model)


def test_register_before_the_constructor_is_refused():
    class Early(TrainerBase):
        def __init__(self):
            self.register_model("early", nn.Linear(1, 1))

    with pytest.raises(AttributeError, match="super"):
        Early()


def test_training_without_tensorboard(cfg, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    trained(cfg)
    assert "TensorBoard is not installed" in capsys.readouterr().out


@pytest.mark.parametrize(("rule", "count"), [("train_x", 4), ("train_u", 3), ("smaller_one", 3)])
def test_labelled_and_unlabelled_batches(cfg, images, register, rule, count):
    class WithUnlabelled(DatasetBase):
        def __init__(self, cfg):
            super().__init__(images["train"], images["train"][:15], test=images["test"])

    class Pairs(TrainerXU):
        build_model = TRAINER_REGISTRY.get(cfg.TRAINER.NAME).build_model

        def forward_backward(self, batch_x, batch_u):
            x, y, u = self.parse_batch_train(batch_x, batch_u)
            pairs.append((len(x), len(y), len(u)))

    pairs = []
    cfg.DATASET.NAME = register(DATASET_REGISTRY, WithUnlabelled)
    cfg.TRAINER.NAME = register(TRAINER_REGISTRY, Pairs)
    cfg.TRAIN.COUNT_ITER = rule
    cfg.OPTIM.MAX_EPOCH = 1
    trained(cfg)
    assert pairs == [(5, 5, 5)] * count


def test_a_trainer_without_a_model_is_named(cfg):
    with pytest.raises(NotImplementedError, match="SimpleTrainer has no build_model"):
        SimpleTrainer(cfg)


def test_unknown_trainer_is_named(cfg):
    cfg.TRAINER.NAME = "CoOpp"
    with pytest.raises(ValueError, match=r"\[CoOpp\] is not available"):
        build_trainer(cfg)


def test_subclass_hooks_run_in_order():
    calls = []

    class Hooked(TrainerBase):
        def before_train(self):
            calls.append("before_train")

        def before_epoch(self):
            calls.append(f"before {self.epoch}")

        def run_epoch(self):
            calls.append(f"run {self.epoch}")

        def after_epoch(self):
            calls.append(f"after {self.epoch}")

        def after_train(self):
            calls.append("after_train")

    Hooked().train(1, 3)
    epochs = [f"{word} {epoch}" for epoch in (1, 2) for word in ("before", "run", "after")]
    assert calls == ["before_train", *epochs, "after_train"]
    assert issubclass(TrainerX, SimpleTrainer) and issubclass(SimpleTrainer, TrainerBase)
