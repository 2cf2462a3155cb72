"""The one step of every trainer."""

import json

import pytest
import torch
from tolerance import DOUBLE, gap
from trainer_checks import assert_same, learned

from npt_plugin.trainers import BASE_TRAINERS, NPT_TRAINERS

HEADED = {
    "Decoder",
    "FineTune",
    "GNM_PT",
    "LinearProbe",
    "NPT_FineTune",
    "TwoStage",
}  # these keep to their classes


@pytest.mark.parametrize("name", sorted({*BASE_TRAINERS, *NPT_TRAINERS} - HEADED))
def test_every_prompt_trainer_trains_saves_loads_and_writes_a_record(make_trainer, tmp_path, name):
    trainer = make_trainer(name, output=tmp_path / "base")
    trainer.train()
    record = json.loads((tmp_path / "base" / "results.json").read_text())
    assert record["status"] == "completed" and record["trainer"] == name
    assert record["metrics"]["accuracy"] == pytest.approx(trainer.test(), abs=1e-6)
    if not trainer.model.learned():
        return
    other = make_trainer(name, "DATASET.SUBSAMPLE_CLASSES", "new", output=tmp_path / "new", seed=5)
    other.load_model(str(tmp_path / "base"), epoch=2)
    assert_same(learned(trainer), learned(other))
    folder = tmp_path / "base" / trainer.model.checkpoint_name
    assert (folder / "model.pth.tar-2").stat().st_size < 200_000


def test_no_step_waits_for_the_device(make_trainer, first_stages):
    """Every term and the summary of a step run without reading a tensor on the host."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            assert "_local_scalar_dense" not in str(func) and "nonzero" not in str(func), func
            return func(*args, **(kwargs or {}))

    options = ("TRAINER.TWO_STAGE.RUN", str(first_stages("CoOp")))
    for name in ("NPT_CoOp", "NPT_CoCoOp", "NPT_MaPLe", *sorted(HEADED)):
        trainer = make_trainer(name, *options)
        batch = next(iter(trainer.train_loader_x))
        trainer.set_model_mode("train")
        with Watch():
            trainer.losses(trainer.on_device(batch))


def test_a_batch_on_the_device_is_what_the_step_reads(make_trainer):
    trainer = make_trainer("CoOp")
    batch = {"img": torch.ones(2, 3, 32, 32), "label": torch.tensor([0, 1]), "impath": ["a", "b"]}
    assert set(trainer.on_device(batch)) == {"img", "label"}
    images, labels = trainer.parse_batch_train(batch)
    assert torch.equal(images, batch["img"]) and torch.equal(labels, batch["label"])
    cached = {"features": torch.ones(2, 48), "label": batch["label"]}
    assert set(trainer.on_device(cached)) == {"features", "label"}


@pytest.mark.numerics
@pytest.mark.parametrize("name", ["CoOp", "CoCoOp", "LinearProbe"])
def test_a_step_on_features_is_a_step_on_their_images(make_trainer, name):
    trainer = make_trainer(name)
    images = torch.randn(4, 3, 32, 32)
    features = trainer.model.image_features(images)
    seen, cached = trainer.encode({"img": images}), trainer.encode({"features": features})
    assert gap(cached.logits, seen.logits) <= DOUBLE
    assert gap(cached.image_features, seen.image_features) <= DOUBLE
    assert gap(cached.text_features, seen.text_features) <= DOUBLE


@pytest.mark.numerics
def test_a_step_is_plain_gradient_descent_on_the_sum_of_the_terms(make_trainer):
    still = ("OPTIM.MOMENTUM", "0.", "OPTIM.WEIGHT_DECAY", "0.", "OPTIM.SGD_NESTEROV", "False")
    trainer = make_trainer("NPT_CoOp", *still)
    trainer.set_model_mode("train")
    batch = next(iter(trainer.train_loader_x))
    terms, outputs = trainer.losses(trainer.on_device(batch))
    ctx = trainer.model.prompt_learner.ctx
    (gradient,) = torch.autograd.grad(sum(terms.values()), ctx)
    expected = ctx.detach() - trainer.get_current_lr() * gradient
    summary = trainer.forward_backward(batch)
    assert gap(ctx.detach(), expected) <= DOUBLE
    assert list(summary) == ["loss", "acc", *terms]
    assert summary["loss"] == pytest.approx(float(sum(terms.values()).detach()))
    hits = (outputs.logits.argmax(1) == batch["label"]).double().mean()
    assert summary["acc"] == pytest.approx(100 * float(hits))


def test_a_trainer_reads_its_own_nodes_only():
    assert BASE_TRAINERS["CoOp"].config_nodes() == {"COOP", "ZSCLIP", "IMBALANCE_LOSS"}
    assert BASE_TRAINERS["Decoder"].config_nodes() == {
        "DECODER",
        "HEAD",
        "ZSCLIP",
        "IMBALANCE_LOSS",
    }
