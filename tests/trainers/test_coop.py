"""CoOp: where the class name stands, and whose context it is."""

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.backbone.loading import load_clip
from npt_plugin.backbone.openai import BytePairs, byte_pairs
from npt_plugin.errors import UserError


@pytest.mark.numerics
@pytest.mark.parametrize("position", ["end", "middle", "front"])
@pytest.mark.parametrize("csc", ["True", "False"])
def test_class_token_positions_against_a_loop(make_trainer, position, csc):
    trainer = make_trainer(
        "CoOp", "TRAINER.COOP.CLASS_TOKEN_POSITION", position, "TRAINER.COOP.CSC", csc
    )
    learner = trainer.model.prompt_learner
    clip = load_clip("", trainer.cfg.MODEL.CLIP_WEIGHTS).float().model
    n_before = {"end": 3, "middle": 3 // 2, "front": 0}[position]
    for k, name in enumerate(trainer.classnames):
        name = name.replace("_", " ")
        token = clip.token_embedding(BytePairs()([f"X X X {name}."]))[0]  # (77, W)
        n_name = len(byte_pairs().encode(name))
        ctx = learner.ctx[k] if csc == "True" else learner.ctx
        expected = [token[:1], ctx[:n_before], token[4 : 4 + n_name], ctx[n_before:]]
        row = torch.cat([*expected, token[4 + n_name :]])
        assert gap(learner()[k], row[: learner().shape[1]]) <= DOUBLE


@pytest.mark.parametrize("csc", ["True", "False"])
def test_with_csc_a_class_moves_no_context_but_its_own(prompted, csc):
    model = prompted("CoOp", "TRAINER.COOP.CSC", csc)
    model.text_features()[1].sum().backward()
    grad = model.prompt_learner.ctx.grad
    if csc == "False":
        assert grad.shape == (3, 64) and grad.abs().sum() > 0
        return
    assert grad.shape == (3, 3, 64)  # a context of three vectors for each of three classes
    assert [bool(g.abs().sum() > 0) for g in grad] == [False, True, False]


def test_a_position_that_does_not_exist_is_refused_with_the_nearest(make_trainer):
    with pytest.raises(UserError, match="POSITION is 'midle'.*'middle'.*end, middle, front"):
        make_trainer("CoOp", "TRAINER.COOP.CLASS_TOKEN_POSITION", "midle")


@pytest.mark.numerics
def test_a_share_of_zero_shot_text_is_tested_and_not_trained_with(make_trainer):
    options = ("TEST.ZERO_SHOT_SHARE", "0.25")
    plain, mixed = make_trainer("CoOp"), make_trainer("CoOp", *options)
    zero = make_trainer("ZeroshotCLIP").model.text_features()
    for trainer in (plain, mixed):
        trainer.set_model_mode("train")
    assert torch.equal(plain.model.text_features(), mixed.model.text_features())
    for trainer in (plain, mixed):
        trainer.set_model_mode("eval")
    wanted = 0.75 * plain.model.text_features() + 0.25 * zero
    wanted = wanted / wanted.norm(dim=-1, keepdim=True)
    assert gap(mixed.model.text_features(), wanted) < DOUBLE


@pytest.mark.parametrize("trainer, share", [("CoCoOp", "0.5"), ("CoOp", "1.5")])
def test_a_share_without_a_meaning_is_refused(make_trainer, trainer, share):
    with pytest.raises(UserError, match=rf"TEST\.ZERO_SHOT_SHARE is {share}"):
        make_trainer(trainer, "TEST.ZERO_SHOT_SHARE", share)
