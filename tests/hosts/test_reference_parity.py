"""Our CoOp, CoCoOp and MaPLe against plain implementations of the papers."""

import pytest
import torch
import torch.nn.functional as F
from reference_models import build_reference, public_state
from reference_trainers import labelled_batch
from tolerance import DOUBLE, gap

from npt_plugin.backbone.loading import load_clip

pytestmark = pytest.mark.numerics

METHODS = ("CoOp", "CoCoOp", "MaPLe")
SETTINGS = ("TRAINER.COCOOP.N_CTX", "3", "TRAINER.MAPLE.PROMPT_DEPTH", "2")


@pytest.fixture(params=METHODS)
def pair(request, make_trainer, small_clip_file):
    """Our trainer and the reference, started from the reference's parameters."""
    method = request.param
    ours = make_trainer(method, *SETTINGS, "OPTIM.MOMENTUM", "0.9")
    clip_model = load_clip("", str(small_clip_file)).float().model
    torch.manual_seed(7)
    reference = build_reference(method, ours.cfg, ours.classnames, clip_model)
    ours.model.load_checkpoint_state(public_state(method, reference), "the reference")
    return method, ours, reference


def test_same_logits(pair):
    _, ours, reference = pair
    images = labelled_batch(ours, 5)["img"]
    with torch.no_grad():
        assert gap(ours.model(images), reference(images)) < DOUBLE


def test_same_losses_and_prompts_after_twenty_steps(pair):
    method, ours, reference = pair
    optim = ours.cfg.OPTIM
    sgd = torch.optim.SGD(
        reference.prompt_learner.parameters(),
        optim.LR,
        optim.MOMENTUM,
        weight_decay=optim.WEIGHT_DECAY,
    )
    before = {k: v.clone() for k, v in public_state(method, reference).items()}
    for step in range(20):
        batch = labelled_batch(ours, 4, seed=step)
        loss = F.cross_entropy(reference(batch["img"]), batch["label"])
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        assert float(ours.forward_backward(batch)["loss"]) == pytest.approx(loss.item(), rel=DOUBLE)
    after = public_state(method, reference)
    for key, value in ours.model.checkpoint_state().items():
        assert gap(value, after[key]) < DOUBLE, key
        assert not torch.equal(before[key], after[key]), key


def test_saved_keys_are_those_of_the_public_checkouts(pair):
    method, ours, reference = pair
    target = reference if method == "MaPLe" else reference.prompt_learner
    unknown = target.load_state_dict(ours.model.checkpoint_state(), strict=False).unexpected_keys
    assert not unknown
    learned = {name for name, _ in reference.named_parameters() if "encoder" not in name}
    if method != "MaPLe":
        learned = {name.removeprefix("prompt_learner.") for name in learned}
    assert set(ours.model.checkpoint_state()) == learned


@pytest.mark.parametrize("direction", ["to us", "to them"])
def test_checkpoint_round_trip_by_file(pair, make_trainer, tmp_path, direction):
    method, ours, reference = pair
    folder = tmp_path / "public" / ours.model.checkpoint_name
    folder.mkdir(parents=True)
    images = labelled_batch(ours, 3)["img"]
    with torch.no_grad():
        wanted = reference(images)
    if direction == "to us":
        sgd = torch.optim.SGD(reference.prompt_learner.parameters(), 0.1)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, 5.0)
        state = {"state_dict": public_state(method, reference), "epoch": 5}
        state |= {"optimizer": sgd.state_dict(), "scheduler": {"successor": schedule}}
        torch.save({**state, "val_result": None}, folder / "model.pth.tar-5")
        fresh = make_trainer(method, *SETTINGS, seed=9)
        fresh.load_model(str(tmp_path / "public"), epoch=5)
        with torch.no_grad():
            assert gap(fresh.model(images), wanted) < DOUBLE
        return
    ours.save_model(4, str(tmp_path / "public"))
    saved = torch.load(folder / "model.pth.tar-5", weights_only=True)
    assert saved["epoch"] == 5
    target = reference if method == "MaPLe" else reference.prompt_learner
    with torch.no_grad():
        for parameter in reference.prompt_learner.parameters():
            parameter.zero_()
        target.load_state_dict(saved["state_dict"], strict=False)
        assert gap(reference(images), wanted) < DOUBLE
