"""A finished run's model again."""

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.backbone.loading import load_clip
from npt_plugin.engine.framework import TRAINER_REGISTRY
from npt_plugin.errors import UserError
from npt_plugin.runs.folder import RunFolder
from npt_plugin.trainers.restore import load_model, model_class_of, restore_model


def test_it_is_what_the_run_had_learned_frozen(trained_run):
    run = RunFolder.open(trained_run)
    model, cfg, device, precision = load_model(run, device="cpu")
    saved = torch.load(trained_run / "prompt_learner" / "model.pth.tar-3", weights_only=True)
    assert torch.equal(model.prompt_learner.ctx, saved["state_dict"]["ctx"])
    assert not model.training and not any(p.requires_grad for p in model.parameters())
    assert cfg.is_frozen() and (device.type, precision.name) == ("cpu", "fp32")


@pytest.mark.numerics
def test_other_class_names_keep_the_learned_context(trained_run, small_clip):
    run = RunFolder.open(trained_run)
    own, cfg, *_ = load_model(run, device="cpu")
    names = [*run.class_names, "something else"]
    model = restore_model(run, cfg, small_clip, names)
    assert torch.equal(model.prompt_learner.ctx, own.prompt_learner.ctx)
    with torch.no_grad():
        assert gap(model.text_features()[:3], own.text_features()) <= DOUBLE


def test_a_host_s_own_trainer_is_refused_by_name(make_cfg, monkeypatch):
    cfg = make_cfg("CoOp")
    assert model_class_of(cfg).__name__ == "CoOpCLIP"
    monkeypatch.setattr(TRAINER_REGISTRY, "get", lambda name: type(name, (), {}))
    with pytest.raises(UserError, match="CoOp is a host's own trainer"):
        model_class_of(cfg)


def test_a_checkpoint_that_is_gone_is_named(run, small_clip_file):
    for file in (run / "prompt_learner").iterdir():
        file.unlink()
    opened = RunFolder.open(run)
    with pytest.raises(UserError, match="prompt_learner"):
        restore_model(opened, opened.config(), load_clip("", str(small_clip_file)), ["a"])
