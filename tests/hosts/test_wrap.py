"""Wrapping a trainer is adding the terms to its loss; without weights it is the trainer."""

import pytest
import torch
from edge_trainers import ForeignLoading, NameBranching, Projecting
from joint_loss import assert_close, expected, gradients
from reference_trainers import HOSTS, labelled_batch
from tolerance import DOUBLE

from npt_plugin.backbone.loading import load_clip_of
from npt_plugin.config import KEYS
from npt_plugin.errors import UserError
from npt_plugin.hosts.wrap import STATE, logit_scale_of
from npt_plugin.losses.objective import logit_unit

pytestmark = pytest.mark.numerics

DEFAULT_FORMS = (
    "TRAINER.NPT.LC.FORM",
    "anchored",
    "TRAINER.NPT.MI.FORM",
    "pull",
    "TRAINER.NPT.MI.MOMENTUM",
    "0.9",
    "TRAINER.NPT.CENTER",
    "True",
)
OFF = ("TRAINER.NPT.LAMBDA_LC", "0.", "TRAINER.NPT.LAMBDA_MI", "0.")


@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize("version", ["v3", "v2"])
@pytest.mark.parametrize("size", [1, 4])
def test_gradient_is_that_of_loss_plus_terms(make, name, version, size):
    trainer = make(name, "TRAINER.NPT.VERSION", version, "OPTIM.LR", "0.")
    batch = labelled_batch(trainer, size)
    wanted, terms = expected(trainer, batch)
    summary = trainer.forward_backward(batch)
    assert_close(gradients(trainer), wanted)
    assert set(terms) == set(summary) - {"loss"}
    for term, value in terms.items():
        assert float(summary[term]) == pytest.approx(float(value.detach()), rel=DOUBLE, abs=DOUBLE)
    plain = make(name, wrapped=False)
    plain.forward_backward(batch)
    changed = [not torch.equal(g, wanted[n]) for n, g in gradients(plain).items()]
    assert any(changed)  # the terms do something


@pytest.mark.parametrize("name", HOSTS)
def test_gradient_of_the_default_forms(make, name):
    trainer = make(name, *DEFAULT_FORMS, "OPTIM.LR", "0.")
    batch = labelled_batch(trainer, 4)
    wanted, terms = expected(trainer, batch)
    summary = trainer.forward_backward(batch)
    assert_close(gradients(trainer), wanted)
    assert set(terms) == {"lc", "mi"} == set(summary) - {"loss"}


def test_a_host_with_a_sampler_and_keys_of_its_own(make):
    trainer = make("", "OPTIM.LR", "0.", cls=ForeignLoading)
    batches = trainer.train_loader_x
    assert set(batches[0]) == {"pixels", "class", "weight"} and len(batches) > 1
    assert batches[0]["class"][0] == trainer.dm.dataset.train_x[-1].label  # its sampler's first
    for batch in batches[:2]:
        trainer.weight = batch["weight"]
        wanted, _ = expected(trainer, {"img": batch["pixels"], "label": batch["class"]})
        trainer.forward_backward(batch)
        assert_close(gradients(trainer), wanted)


@pytest.mark.parametrize("name", ["HostCoOp", "HostMaPLe"])
def test_gradient_is_scaled_as_the_host_scales_its_loss(make, name, monkeypatch):
    trainer = make(name, "OPTIM.LR", "0.")
    monkeypatch.setattr(torch.Tensor, "float", torch._C.TensorBase.float)  # the scaler's own factor
    trainer.scaler = torch.amp.GradScaler("cpu", init_scale=512.0)
    trainer.scaler.scale(torch.ones(()))
    batch = labelled_batch(trainer)
    wanted, _ = expected(trainer, batch)
    seen = {}
    trainer.optim.register_step_pre_hook(lambda *_: seen.update(gradients(trainer)))
    trainer.forward_backward(batch)  # the scaler unscales before the optimiser steps
    assert_close(seen, wanted)


@pytest.mark.parametrize("name", HOSTS)
def test_zero_weights_set_no_hook_and_train_bit_for_bit(make, name):
    wrapped, plain = make(name, *OFF), make(name, wrapped=False)
    for module in wrapped.model.modules():
        assert not module._forward_hooks
    assert "zero_grad" not in vars(wrapped.optim)
    for step in range(4):
        batch = labelled_batch(plain, seed=step)
        assert wrapped.forward_backward(batch) == plain.forward_backward(batch)
    for a, b in zip(wrapped.model.parameters(), plain.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_host_that_asks_for_its_name_finds_it(make, capsys):
    """Bit for bit with weights 0; the log says what it is."""
    changes = ("TRAINER.NAME", "NameBranching")
    plain = make("", cls=NameBranching, wrapped=False, changes=changes)
    capsys.readouterr()
    wrapped = make("", *OFF, cls=NameBranching, changes=("TRAINER.NAME", "NPT_NameBranching"))
    assert "NPT_NameBranching: this project's NameBranching with NPT" in capsys.readouterr().out
    for step in range(3):
        batch = labelled_batch(plain, seed=step)
        assert wrapped.forward_backward(batch) == plain.forward_backward(batch)
    on = make("", cls=NameBranching, changes=("TRAINER.NAME", "NPT_NameBranching"))
    wanted, _ = expected(on, batch)
    on.forward_backward(batch)
    assert_close(gradients(on), wanted)


def test_evaluation_records_nothing_and_ramp_follows_the_epoch(make):
    trainer = make("HostMaPLe", "TRAINER.NPT.WARMUP_EPOCH", "4")
    batch = labelled_batch(trainer)
    full = []
    for epoch in (0, 3):
        trainer.epoch = epoch
        trainer.before_epoch()
        full.append({n: float(v) for n, v in trainer.forward_backward(batch).items()})
    assert full[1]["mi"] > 2 * full[0]["mi"]
    with torch.no_grad():
        trainer.model_inference(batch["img"])
    trainer.model(batch["img"])
    assert trainer.npt.step is None


class TwoPasses(HOSTS["HostCoOp"]):
    """Two forward and backward passes a step, as sharpness-aware methods take."""

    def forward_backward(self, batch):
        images, labels = self.parse_batch_train(batch)
        self.optim.zero_grad()
        for _ in range(2):
            loss = self.loss(images, labels)
            loss.backward()
        return {"loss": loss.item()}


class TwoLosses(HOSTS["HostCoOp"]):
    """Two backward passes over one graph; ``clear`` in between decides which gradient stays."""

    clear = False

    def forward_backward(self, batch):
        images, labels = self.parse_batch_train(batch)
        self.optim.zero_grad()
        half = self.loss(images, labels) / (1 if self.clear else 2)
        half.backward(retain_graph=True)
        if self.clear:
            self.optim.zero_grad()
        half.backward()
        return {"loss": half.item()}


class Clearing(TwoLosses):
    clear = True


@pytest.mark.parametrize("cls, times", [(TwoPasses, 2.0), (TwoLosses, 1.0), (Clearing, 1.0)])
def test_each_update_has_the_terms_as_often_as_the_loss(make, cls, times):
    trainer = make("", cls=cls)
    batch = labelled_batch(trainer)
    wanted, _ = expected(trainer, batch, factor=times)
    trainer.forward_backward(batch)
    assert_close(gradients(trainer), wanted)


def test_of_several_passes_the_one_of_the_loss_has_the_terms(make):
    """ProGrad's guiding direction stays the host's; only the loss it corrects has the terms."""
    trainer, plain = (make("", cls=Projecting, wrapped=wrapped) for wrapped in (True, False))
    batch = labelled_batch(trainer)
    wanted, _ = expected(trainer, batch)
    for each in (trainer, plain):
        each.forward_backward(batch)
    assert torch.equal(trainer.direction, plain.direction)
    assert_close({"ctx": trainer.descent}, wanted)
    assert not torch.allclose(trainer.descent, plain.descent)


class Detached(HOSTS["HostCoOp"]):
    def loss(self, images, labels):
        return self.model.prompt_learner.ctx.square().sum()


class Spread(HOSTS["HostCoOp"]):
    def build_model(self):
        super().build_model()
        self.model = torch.nn.DataParallel(self.model)


@pytest.mark.parametrize("place", ["encoders", "logits"])
def test_a_model_spread_over_gpus_is_refused(make, place):
    with pytest.raises(UserError, match="NPT_Spread runs on one GPU, but Spread spreads its model"):
        make("", "TRAINER.NPT.AT", place, cls=Spread)


class NoText(HOSTS["HostMaPLe"]):
    def build_model(self):
        super().build_model()
        del self.model.text_encoder


@pytest.mark.parametrize(
    "cls, sentence",
    [
        (Detached, "no gradient reached image_encoder or text_encoder"),
        (NoText, "needs a model with the modules image_encoder and text_encoder"),
    ],
)
def test_what_cannot_work_is_said(make, cls, sentence):
    with pytest.raises(UserError, match=sentence):
        trainer = make("", cls=cls)
        trainer.forward_backward(labelled_batch(trainer))


@pytest.mark.parametrize("key", [k for k in KEYS if k.ours], ids=lambda key: key.name)
def test_a_key_the_host_would_ignore_is_refused(make, key):
    """Every key whose row says so: another value than the default, of the same type."""
    other = {bool: not key.default, str: "x"}.get(type(key.default))
    value = key.default + 1 if other is None else other
    with pytest.raises(UserError, match=f"{key.name} is {value!r}, but NPT_HostCoOp"):
        make("HostCoOp", changes=(key.name, str(value)))


def test_a_term_that_is_not_finite_is_named(make):
    trainer = make("HostCoOp")
    trainer.npt_objective.weights["mi"] = float("inf")
    with pytest.raises(FloatingPointError, match="mi is inf"):
        trainer.forward_backward(labelled_batch(trainer))


def test_running_means_are_saved_and_resumed(make, tmp_path):
    options = ("TRAINER.NPT.MI.MOMENTUM", "0.5")
    trainer = make("HostCoOp", *options)
    trainer.forward_backward(labelled_batch(trainer))
    trainer.save_model(0, str(tmp_path))
    assert (tmp_path / STATE).is_file()
    other = make("HostCoOp", *options)
    assert other.resume_model_if_exist(str(tmp_path)) == 1
    there, here = trainer.npt_objective.state_dict(), other.npt_objective.state_dict()
    assert there and all(torch.equal(value, here[name]) for name, value in there.items())


def test_wrapped_trainer_runs_in_the_framework(make, capsys):
    trainer = make("HostCoOp", "TEST.NO_TEST", "True")
    trainer.train()
    out = capsys.readouterr().out
    assert " lc " in out and " mi " in out


def test_several_processes_are_refused(make, monkeypatch):
    """A host's own step would train as many copies of the run in one folder."""
    trainer = make("HostCoOp")
    told = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": "29500"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match="WORLD_SIZE is 2"):
        trainer.check_cfg(trainer.cfg)


def test_terms_count_in_logits_of_the_scale_of_the_host(make):
    """Its own ``logit_scale`` wherever a module holds it, else that of the CLIP it names."""
    trainer = make("HostCoOp", "TRAINER.NPT.UNITS", "logits")
    named = float(load_clip_of(trainer.cfg).logit_scale.exp())
    assert trainer.npt_objective.unit == logit_unit(named) != 1
    trainer.model.logit_scale = torch.nn.Parameter(torch.tensor(100.0).log())
    assert logit_scale_of(trainer) == pytest.approx(100.0)
    assert make("HostCoOp", "TRAINER.NPT.UNITS", "cosine").npt_objective.unit == 1
