"""CoOp: where the class name stands, and whose context it is."""

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.backbone.loading import load_clip, tokenize, tokenizer


@pytest.mark.numerics
@pytest.mark.parametrize("position", ["middle", "front"])
@pytest.mark.parametrize("csc", ["True", "False"])
def test_class_token_positions_against_a_loop(make_trainer, position, csc):
    trainer = make_trainer(
        "CoOp", "TRAINER.COOP.CLASS_TOKEN_POSITION", position, "TRAINER.COOP.CSC", csc
    )
    learner = trainer.model.prompt_learner
    clip = load_clip("", trainer.cfg.MODEL.CLIP_WEIGHTS).float()
    n_before = 3 // 2 if position == "middle" else 0
    for k, name in enumerate(trainer.classnames):
        name = name.replace("_", " ")
        token = clip.token_embedding(tokenize([f"X X X {name}."]))[0]  # (77, W)
        n_name = len(tokenizer().encode(name))
        ctx = learner.ctx[k] if csc == "True" else learner.ctx
        expected = [token[:1], ctx[:n_before], token[4 : 4 + n_name], ctx[n_before:]]
        row = torch.cat([*expected, token[4 + n_name :]])
        assert gap(learner()[k], row[: learner().shape[1]]) <= DOUBLE
